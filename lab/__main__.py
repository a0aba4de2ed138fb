"""``python -m lab`` is the `lab` command."""

from lab.cli.main import main

if __name__ == "__main__":
    main()

"""The `lab` command: parse, call, exit code."""

"""The commands of `lab` with their arguments and options, as typer reads them."""

from __future__ import annotations

from typing import Annotated

import typer

from lab import __version__
from lab.cli.ending import end
from lab.model.errors import ExitCode

app = typer.Typer(
    no_args_is_help=True,
    # Plain help and plain errors: rich would cost every command 30 ms.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"natlab {__version__}")
        raise typer.Exit


def _host_only(kernel: str) -> str:
    if kernel != "host":
        raise typer.BadParameter(f"'{kernel}' is not yet supported, only 'host' is.")
    return kernel


def _backend(name: str | None) -> str | None:
    if name not in {None, "nft", "legacy", "all"}:
        raise typer.BadParameter(f"'{name}' is none of nft, legacy, all.")
    return name


def _number_of_labs(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise typer.BadParameter(f"'{text}' is no number of labs.")
    return int(text)


def _not_yet(value: str | None) -> str | None:
    if value is not None:
        raise typer.BadParameter("this option is not yet supported.")
    return value


@app.callback()
def lab(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Networks that can be tested like code: real hosts, real iptables rules, real traffic."""


@app.command()
def run(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", hidden=True)],
    iptables: Annotated[
        str | None,
        typer.Option(
            metavar="nft|legacy|all",
            callback=_backend,
            help="The backend of iptables; otherwise what each scenario's matrix says.",
        ),
    ] = None,
    kernel: Annotated[
        str,
        typer.Option(metavar="KERNEL", callback=_host_only, help="The kernel to run on."),
    ] = "host",
    select: Annotated[
        str | None,
        typer.Option(
            "-k",
            metavar="EXPR",
            help="Run only scenarios whose name fits: parts of names with and, or, not.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "-j",
            metavar="N",
            parser=_number_of_labs,
            help="Run N labs side by side; otherwise one for each processor.",
        ),
    ] = None,
    junit: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a report as JUnit XML.")
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write each event as a line of JSON. With - these go to standard output, and the "
            "report to standard error.",
        ),
    ] = None,
    report: Annotated[
        str | None, typer.Option(metavar="FILE", hidden=True, callback=_not_yet)
    ] = None,
    pcap: Annotated[
        str | None, typer.Option(metavar="FILE", hidden=True, callback=_not_yet)
    ] = None,
    verbose: Annotated[
        bool, typer.Option("-v", help="Show every command that ran, and its output.")
    ] = False,
    fail_fast: Annotated[bool, typer.Option("-x", help="Stop at the first failure.")] = False,
) -> None:
    """Run scenarios, and show what each step did and saw.

    A SCENARIO is a name from the catalogue (lab ls shows it), a file, or a folder of files.
    """

    def command() -> ExitCode:
        from lab.cli.run import run
        from lab.report.outputs import Request
        from lab.run.request import RunRequest

        return run(
            RunRequest(tuple(scenarios), iptables, select, jobs, fail_fast, verbose),
            Request(junit, json, verbose),
        )

    end(command)


@app.command()
def ls() -> None:
    """List the catalogue: name, title, article and section."""

    def command() -> ExitCode:
        from lab.cli.catalogue import list_catalogue

        return list_catalogue()

    end(command)


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", hidden=True)],
) -> None:
    """Check scenario files without running them."""

    def command() -> ExitCode:
        from lab.cli.catalogue import check_files

        return check_files(files)

    end(command)


@app.command()
def plan(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", hidden=True)],
    shell: Annotated[
        bool, typer.Option("--shell", help="Print the shell script that does it by hand.")
    ] = False,
) -> None:
    """Show what would be done to build a scenario's topology, without doing it."""

    def command() -> ExitCode:
        from lab.cli.plan import print_plan

        return print_plan(scenario, shell=shell)

    end(command)


@app.command()
def schema(
    events: Annotated[
        bool, typer.Option("--events", help="The schema of a line that run --json writes.")
    ] = False,
) -> None:
    """Print the JSON Schema of scenario files, for editors."""

    def command() -> ExitCode:
        from lab.cli.catalogue import print_schema

        return print_schema(events=events)

    end(command)

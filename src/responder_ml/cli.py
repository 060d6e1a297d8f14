"""The command line: commands by name, and the message that a user's mistake ends in."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from responder_ml.commands import COMMANDS
from responder_ml.commands.console import print_line
from responder_ml.errors import ResponderError, RunError

app = typer.Typer(
    name="responder-ml",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from responder_ml import __version__

        print_line(Console(), f"responder-ml {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Is there evidence in brain-region expression that responders differ from non-responders, and what carries it?"""


for name, command in COMMANDS.items():
    app.command(name)(command)


def main() -> None:
    """Run a command; a user's mistake ends in one message and exit code 2."""
    try:
        _check_working_folder()
        app()
    except ResponderError as problem:
        print_line(Console(stderr=True), Text.assemble(("Error:", "bold red"), f" {problem}"))
        sys.exit(2)


def _check_working_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError as problem:
        raise RunError(
            "The folder in which the program was started has been deleted. Change to another one."
        ) from problem

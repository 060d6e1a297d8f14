"""The command line: commands by name, and the message that a user's mistake ends in."""

import sys

import typer
from rich.console import Console
from rich.text import Text

from responder_ml.commands import COMMANDS
from responder_ml.commands.console import print_line
from responder_ml.errors import ResponderError

app = typer.Typer(
    name="responder-ml",
    help="Is there evidence in brain-region expression that responders differ from non-responders, and what carries it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, command in COMMANDS.items():
    app.command(name)(command)


def main() -> None:
    """Run a command; a user's mistake ends in one message and exit code 2."""
    try:
        app()
    except ResponderError as problem:
        print_line(Console(stderr=True), Text.assemble(("Error:", "bold red"), f" {problem}"))
        sys.exit(2)

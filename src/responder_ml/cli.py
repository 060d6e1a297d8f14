"""The command line: commands by name, and what becomes of a user's mistake."""

import sys

import typer
from rich.console import Console

from responder_ml.commands import COMMANDS
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
        Console(stderr=True, soft_wrap=True).print(f"[bold red]Error:[/] {_plain(str(problem))}", highlight=False)
        sys.exit(2)


def _plain(text: str) -> str:
    """Keep square brackets in messages from being read as markup."""
    return text.replace("[", "\\[")

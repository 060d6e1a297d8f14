"""The command `compare`: runs on one leaderboard."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", metavar="RUN...")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the tables as CSV and a page with figures.")
    ] = None,
) -> None:
    """Put runs on one leaderboard, and test differences where they share subjects and folds."""
    from responder_ml.compare import PAGE, compare, write_comparison
    from responder_ml.screen.comparison import show_comparison

    console = Console()
    found = compare(runs)
    show_comparison(console, found)
    if out is not None:
        write_comparison(found, out)
        console.print(f"Page:   {out / PAGE}", highlight=False, soft_wrap=True)

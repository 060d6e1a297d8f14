"""The command `report`: write a run's report again."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import print_line


def report(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN")],
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write (default: RUN/report.html).")] = None,
) -> None:
    """Write a run's report again, without training."""
    from responder_ml.records.run import read_run
    from responder_ml.report.html import write_report

    path = out or run / "report.html"
    write_report(read_run(run), path)
    print_line(Console(), f"Report: {path}")

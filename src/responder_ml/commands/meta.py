"""The command `meta`: the mean over cohorts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from responder_ml.commands.console import Out, folding, print_line, print_simulated, print_table

if TYPE_CHECKING:
    from responder_ml.records.meta import MetaRun


def meta(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, each of another cohort.", metavar="RUN...")],
    out: Out = None,
) -> None:
    """Pool the AUROC of runs on independent cohorts: mean, difference between cohorts, and what a new one may show."""
    from responder_ml.meta import default_folder, meta
    from responder_ml.records.meta import PAGE

    console, folder = Console(), out or default_folder(runs)
    analysis = meta(runs, folder)
    show_meta(console, analysis)
    print_line(console, f"Page:   {folder / PAGE}")
    print_line(console, f"Folder: {folder}")


def show_meta(console: Console, run: "MetaRun") -> None:
    """Print the conclusion, then one row for each cohort."""
    console.print()
    if run.result.simulated:
        print_simulated(console)
    print_line(console, run.result.sentence, style="bold")
    for note in run.result.notes:
        print_line(console, note)
    table = Table(folding("cohort"), "subjects", "AUROC", "95 % interval", "weight", "mean without it")
    for row in run.result.cohorts:
        table.add_row(
            row.cohort,
            f"{row.n_positive} v {row.n_negative}",
            f"{row.auroc:.2f}",
            f"{row.auroc_low:.2f} to {row.auroc_high:.2f}",
            f"{row.weight:.0%}",
            "" if row.without is None else f"{row.without:.2f}",
        )
    print_table(console, table)

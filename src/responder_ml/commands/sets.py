"""The command `sets`: which gene sets differ between the classes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from responder_ml.commands.console import (
    Config,
    Out,
    ProgressBar,
    folding,
    print_line,
    print_simulated,
    print_table,
    specified,
)

if TYPE_CHECKING:
    from responder_ml.records.sets import SetsRun

_MOST_SHOWN = 10


def sets(
    config: Config,
    files: Annotated[
        list[Path] | None, typer.Option("--sets", help="GMT file; may be repeated. Those of the job by default.")
    ] = None,
    rotations: Annotated[
        int | None, typer.Option(help="Random rotations; the smallest p is one over one more.")
    ] = None,
    correlation: Annotated[
        float | None,
        typer.Option(help="Correlation of genes within sets for camera, such as limma's 0.01; estimated by default."),
    ] = None,
    out: Out = None,
) -> None:
    """Test gene sets: which differ between the classes (roast), and which more than other genes do (camera)."""
    from responder_ml.config import load_config
    from responder_ml.records.sets import PAGE
    from responder_ml.sets import default_folder, sets

    console, job = Console(), load_config(config)
    folder = out or default_folder(job)
    options = specified(rotations=rotations, correlation=correlation)
    run = sets(job, folder, files or (), progress=ProgressBar(console), **options)
    show_sets(console, run)
    print_line(console, f"Page:   {folder / PAGE}")
    print_line(console, f"Folder: {folder}")


def show_sets(console: Console, run: "SetsRun") -> None:
    """Print the conclusion, then the sets of smallest p."""
    console.print()
    if run.result.simulated:
        print_simulated(console)
    print_line(console, run.result.sentence, style="bold")
    if run.result.rotations < run.result.needed_rotations:
        print_line(
            console,
            f"With {run.result.rotations:,} rotations one set alone cannot reach this rate; it takes --rotations "
            f"{run.result.needed_rotations}.",
        )
    table = Table(folding("set"), "genes", "direction", "mean z", "p", "FDR", "camera p", "camera FDR")
    for row in run.rows[:_MOST_SHOWN]:
        competitive = ["" if value is None else f"{value:.2g}" for value in (row.camera_p, row.camera_fdr)]
        table.add_row(
            row.set, str(row.genes), row.direction, f"{row.mean_z:.2f}", f"{row.p:.2g}", f"{row.fdr:.2g}", *competitive
        )
    print_table(console, table)
    more = len(run.rows) - _MOST_SHOWN
    if more > 0:
        print_line(console, f"{more:,} more sets are in sets.csv.")

"""The command `replicate`: what a second study should see, and what it does see."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from responder_ml.commands.console import (
    Out,
    ProgressBar,
    folding,
    print_line,
    print_simulated,
    print_table,
    specified,
)

if TYPE_CHECKING:
    from responder_ml.records.replication import QuantityRow, ReplicationRun


def replicate(
    first: Annotated[Path, typer.Argument(help="YAML file of a job, or a run folder.", metavar="FIRST")],
    second: Annotated[
        Path | None, typer.Argument(help="YAML file of the second study's job, if it has been done.", metavar="SECOND")
    ] = None,
    second_size: Annotated[
        str | None,
        typer.Option(
            help="Subjects of a study to come, positive and negative, such as 8,8; as in the first by default."
        ),
    ] = None,
    shared_control: Annotated[
        int | None,
        typer.Option(help="Subjects of the negative class that a study to come has in common with the first."),
    ] = None,
    least_change: Annotated[
        float | None, typer.Option(help="Least log2 change of a called gene; a factor of 1.3 by default, not verified.")
    ] = None,
    call_p: Annotated[float | None, typer.Option(help="Largest p of a called gene.")] = None,
    out: Out = None,
) -> None:
    """Ask whether a study's changes will be found again: what a second study should see, and what one does see."""
    from responder_ml.config import load_config
    from responder_ml.contrasts.called_again import CallRule
    from responder_ml.records.replication import PAGE
    from responder_ml.replicate import SecondPlan, StudySource, default_folder, read_size, replicate

    console = Console()
    source = StudySource.read(first)
    job = None if second is None else load_config(second)
    planned = None
    if second_size is not None or shared_control is not None:
        size = None if second_size is None else read_size(second_size)
        planned = SecondPlan(size, **specified(shared_control=shared_control))
    rule = CallRule(**specified(p=call_p, least_change=least_change))
    folder = out or default_folder(source, job, planned, rule)
    run = replicate(source, job, folder, planned=planned, rule=rule, progress=ProgressBar(console))
    show_replication(console, run)
    print_line(console, f"Page:   {folder / PAGE}")
    print_line(console, f"Folder: {folder}")


def show_replication(console: Console, run: "ReplicationRun") -> None:
    """Print the conclusion, then each quantity beside its reference values."""
    console.print()
    result = run.result
    if result.simulated:
        print_simulated(console)
    print_line(console, result.sentence, style="bold")
    for note in result.notes:
        print_line(console, note)
    table = Table(folding("quantity"), "observed", "same changes", "no effect", "p")
    for row in result.quantities:
        table.add_row(row.quantity, *_cells(row))
    print_table(console, table)
    if result.model is not None and result.model.note:
        print_line(console, result.model.note)


def _cells(row: "QuantityRow") -> list[str]:
    digits = 0 if row.quantity.startswith("genes") else 2
    return [
        _cell(row.observed, row.low, row.high, digits),
        _cell(row.same_changes, row.same_low, row.same_high, digits),
        _cell(row.no_effect, None, None, digits),
        "" if row.p_value is None else f"{row.p_value:.2g}",
    ]


def _cell(value: float | None, low: float | None, high: float | None, digits: int) -> str:
    between = "" if low is None or high is None else f"({low:.{digits}f} to {high:.{digits}f})"
    return " ".join(filter(None, ("" if value is None else f"{value + 0.0:.{digits}f}", between)))

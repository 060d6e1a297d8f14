"""The command `transfer`: models of one region, drug, sex or cohort tested on another."""

from math import isnan
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
)

if TYPE_CHECKING:
    from responder_ml.evaluation.transfer import TransferRow
    from responder_ml.transfer import TransferRecord


def transfer(
    config: Config,
    by: Annotated[
        str | None, typer.Option(help="Column whose values are paired for training and testing: region, drug, sex.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="YAML file of another job, whose cohort is paired with this one.")
    ] = None,
    out: Out = None,
) -> None:
    """Train on one region, drug, sex or cohort and test on another; report a matrix with p-values and intervals."""
    from responder_ml.config import load_config
    from responder_ml.search.checkpoints import run_checkpoint
    from responder_ml.transfer import PAGE, TRANSFER_FOLDER, default_folder, transfer, write_transfer

    console, job = Console(), load_config(config)
    other = None if to is None else load_config(to)
    folder = out or default_folder(job, by, other)
    TRANSFER_FOLDER.check(folder)
    with run_checkpoint(folder) as checkpoint:
        store = checkpoint.unit_store()
        record = transfer(job, by=by, to=other, progress=ProgressBar(console), store=store)
        write_transfer(record, folder)
    show_transfer(console, record)
    print_line(console, f"Page:   {folder / PAGE}")
    print_line(console, f"Folder: {folder}")


def show_transfer(console: Console, record: "TransferRecord") -> None:
    """Print a matrix: training cohorts in rows, test cohorts in columns."""
    console.print()
    if record.simulated:
        print_simulated(console)
    for note in record.notes:
        print_line(console, note)
    names = list(dict.fromkeys(row.train for row in record.rows))
    cells = {(row.train, row.test): _cell(row) for row in record.rows}
    title = f"AUROC of {record.question}, by {record.between} tested"
    table = Table(folding("trained on"), *map(folding, names), title=title)
    for train in names:
        table.add_row(train, *(cells[train, test] for test in names))
    print_table(console, table)
    print_line(
        console,
        "Each cell: AUROC (95 % interval over subjects), p, and p after Holm's correction for the cells off the diagonal. "
        "The diagonal is the procedure's own out-of-fold result. No subject is tested by a model trained on it.",
    )


def _cell(row: "TransferRow") -> str:
    lines = [f"{row.auroc:.2f} ({row.auroc_ci_low:.2f} to {row.auroc_ci_high:.2f})"]
    if not isnan(row.p_value):
        corrected = "" if isnan(row.p_holm) else f", Holm {row.p_holm:.2g}"
        lines.append(f"p = {row.p_value:.2g}{corrected}")
    return "\n".join(lines)

"""What ``transfer`` prints: the matrix, then how each figure was got."""

from math import isnan

from rich.console import Console
from rich.table import Column, Table

from responder_ml.evaluation.transfer import TransferRow
from responder_ml.transfer import TransferRecord


def show_transfer(console: Console, found: TransferRecord) -> None:
    """Print a matrix: training cohorts in rows, tested cohorts in columns."""
    console.print()
    if found.simulated:
        console.print("[bold]Simulated data:[/] nothing below is a finding about real animals.")
    for note in found.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
    names = list(dict.fromkeys(row.train for row in found.rows))
    cells = {(row.train, row.test): _cell(row) for row in found.rows}
    table = Table(
        Column("trained on", overflow="fold"),
        *(Column(_safe(name), overflow="fold") for name in names),
        title=f"AUROC of {_safe(found.question)}, by {_safe(found.between)} tested",
    )
    for train in names:
        table.add_row(_safe(train), *(cells[train, test] for test in names))
    console.print(table)
    console.print(
        "Each cell: AUROC (95 % interval over subjects), p, and p after Holm's correction for the cells off the diagonal. "
        "The diagonal is the procedure's own out-of-fold result. No subject is tested by a model that met it.",
        highlight=False,
        soft_wrap=True,
    )


def _cell(row: TransferRow) -> str:
    lines = [f"{row.auroc:.2f} ({row.auroc_ci_low:.2f} to {row.auroc_ci_high:.2f})"]
    if not isnan(row.p_value):
        corrected = "" if isnan(row.p_holm) else f", Holm {row.p_holm:.2g}"
        lines.append(f"p = {row.p_value:.2g}{corrected}")
    return "\n".join(lines)


def _safe(text: str) -> str:
    """Keep square brackets in names from being read as markup."""
    return text.replace("[", "\\[")

"""What ``study`` prints: the answer, then a line for every job."""

from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Column, Table

from responder_ml.records.study import PAGE, Study
from responder_ml.report.numbers import p_text

_COLOUR = {"evidence": "green", "confounded": "yellow"}


def show_study(console: Console, found: Study, folder: Path) -> None:
    """Print a study."""
    console.print(found.result.sentence, markup=False, highlight=False, soft_wrap=True)
    table = Table(
        Column("job", overflow="fold"),
        *(Column(title, no_wrap=True) for title in ("subjects", "AUROC", "corrected p", "verdict")),
    )
    for row in found.tables["jobs"].to_dict("records"):
        table.add_row(*_cells(row))
    console.print(table)
    for row in found.tables["fusion"].to_dict("records"):
        console.print(
            f"{row['endpoint']}, {row['subset']}: {row['first']} minus {row['second']} {row['difference']:+.2f} "
            f"(corrected 95 % interval {row['low']:+.2f} to {row['high']:+.2f})",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    console.print(f"Page:   {folder / PAGE}", highlight=False, soft_wrap=True)


def _cells(row: dict[Any, Any]) -> tuple[str, ...]:
    colour = _COLOUR.get(row["verdict"])
    word = row["verdict"].replace("_", " ")
    return (
        row["job"].replace("[", "\\["),
        f"{row['n_positive']} v {row['n_negative']}",
        "" if pd.isna(row["auroc"]) else f"{row['auroc']:.2f}",
        "" if pd.isna(row["corrected_p"]) else p_text(row["corrected_p"]),
        f"[{colour}]{word}[/]" if colour else word,
    )

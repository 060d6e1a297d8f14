"""What ``compare`` prints: the leaderboard, then paired differences, then what was and was not tested."""

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from responder_ml.comparison import AUTO, Comparison

# Said once above the table where all rows agree, a column of their own where not.
_SHARED = {"run": "run", "where": "rows kept", "question": "question", "subjects": "subjects"}


def show_comparison(console: Console, found: Comparison) -> None:
    """Print a comparison."""
    if found.simulated:
        console.print("[bold]Simulated data:[/] nothing below is a finding about real animals.")
    board = found.leaderboard.assign(
        subjects=[f"{row.positive} and {row.negative}" for row in found.leaderboard.itertuples()]
    )
    agreed = [name for name in _SHARED if board[name].nunique() == 1]
    above = "; ".join(f"{_SHARED[name]} {board[name].iloc[0]}" for name in agreed if board[name].iloc[0])
    if above:
        console.print(f"{above[0].upper()}{above[1:]}", markup=False, highlight=False, soft_wrap=True)
    differing = [name for name in _SHARED if name not in agreed]
    table = Table(*(_SHARED[name] for name in differing), "candidate", "AUROC", "95 % interval", "p", "verdict")
    for row in board.to_dict("records"):
        table.add_row(*(_safe(row[name]) for name in differing), *_performance(row))
    console.print(table)
    if len(found.pairs):
        console.print(_pair_table(found.pairs))
    for note in found.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def _performance(row: dict[Any, Any]) -> tuple[str, ...]:
    candidate = _safe(row["candidate"])
    return (
        f"[bold]{candidate}[/]" if row["candidate"] == AUTO else candidate,
        f"{row['auroc']:.2f}",
        f"{row['auroc_low']:.2f} to {row['auroc_high']:.2f}",
        "" if pd.isna(row["p_value"]) else f"{row['p_value']:.2g}",
        row["verdict"].replace("_", " "),
    )


def _pair_table(pairs: pd.DataFrame) -> Table:
    several = pairs["first_run"].nunique() > 1 or bool((pairs["first_run"] != pairs["second_run"]).any())
    table = Table("first", "second", "difference", "95 % interval", "p", "p (Holm)")
    for row in pairs.to_dict("records"):
        table.add_row(
            _safe(f"{row['first_run']}: {row['first']}" if several else row["first"]),
            _safe(f"{row['second_run']}: {row['second']}" if several else row["second"]),
            f"{row['difference']:+.2f}",
            "not estimated" if pd.isna(row["low"]) else f"{row['low']:+.2f} to {row['high']:+.2f}",
            "" if pd.isna(row["p_value"]) else f"{row['p_value']:.2g}",
            "" if pd.isna(row["p_holm"]) else f"{row['p_holm']:.2g}",
        )
    return table


def _safe(text: str) -> str:
    """Keep square brackets in names from being read as markup."""
    return text.replace("[", "\\[")

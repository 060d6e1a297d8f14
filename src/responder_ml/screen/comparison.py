"""What ``compare`` prints: the leaderboard, then paired differences, then what was and was not tested."""

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Column, Table

from responder_ml.compare import AUTO, Comparison
from responder_ml.report.leaderboard import Rows, families


def show_comparison(console: Console, found: Comparison) -> None:
    """Print a comparison."""
    if found.simulated:
        console.print("[bold]Simulated data:[/] nothing below is a finding about real animals.")
    board = found.leaderboard
    for row in board.drop_duplicates("run").to_dict("records"):
        about = [f"{row['question']}, {row['positive']} and {row['negative']} subjects", row["where"]]
        _say(console, f"{row['run']}: {'; '.join(filter(None, about))}")
    table = Table(_name("run"), _name("candidate"), *map(_number, ("AUROC", "95 % interval", "p", "verdict")))
    for row in board.to_dict("records"):
        table.add_row(*_performance(row))
    console.print(table)
    for title, rows in families(found.pairs).items():
        console.print(_pair_table(f"{title}, first minus second", rows))
    for note in found.notes:
        _say(console, note)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _name(title: str) -> Column:
    """Return a column whose long names go on in the next line; nothing is cut."""
    return Column(title, overflow="fold")


def _number(title: str) -> Column:
    return Column(title, no_wrap=True)


def _performance(row: dict[Any, Any]) -> tuple[str, ...]:
    candidate = _safe(row["candidate"])
    return (
        _safe(row["run"]),
        f"[bold]{candidate}[/]" if row["candidate"] == AUTO else candidate,
        f"{row['auroc']:.2f}",
        f"{row['auroc_low']:.2f} to {row['auroc_high']:.2f}",
        "" if pd.isna(row["p_value"]) else f"{row['p_value']:.2g}",
        row["verdict"].replace("_", " "),
    )


def _pair_table(title: str, rows: Rows) -> Table:
    table = Table(
        _name("first"),
        _name("second"),
        *map(_number, ("difference", "95 % interval", "p", "p (Holm)")),
        title=_safe(title),
    )
    for row in rows:
        table.add_row(
            *map(_safe, row["names"]),
            f"{row['difference']:+.2f}",
            "not estimated" if pd.isna(row["low"]) else f"{row['low']:+.2f} to {row['high']:+.2f}",
            "" if pd.isna(row["p_value"]) else f"{row['p_value']:.2g}",
            "" if pd.isna(row["p_holm"]) else f"{row['p_holm']:.2g}",
        )
    return table


def _safe(text: str) -> str:
    """Keep square brackets in names from being read as markup."""
    return text.replace("[", "\\[")

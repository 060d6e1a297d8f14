"""The command `compare`: several runs in one table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from responder_ml.commands.console import folding, print_line, print_simulated, print_table

if TYPE_CHECKING:
    from responder_ml.compare import Comparison
    from responder_ml.report.leaderboard import Rows


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", metavar="RUN...")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the CSV tables and a page with figures.")
    ] = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Print every candidate, not only the headline (auto) of each run.")
    ] = False,
) -> None:
    """Rank runs in one table, and test their differences where they share subjects and folds."""
    from responder_ml.compare import COMPARISON_FOLDER, PAGE, compare, write_comparison

    console = Console()
    if out is not None:
        COMPARISON_FOLDER.check(out)
    comparison = compare(runs)
    show_comparison(console, comparison, candidates)
    if out is not None:
        write_comparison(comparison, out)
        print_line(console, f"Page:   {out / PAGE}")


def show_comparison(console: Console, comparison: "Comparison", candidates: bool = False) -> None:
    """Print the leaderboard, then paired differences, then what was and was not tested.

    Parameters
    ----------
    console, comparison
        Where to print, and what.
    candidates
        Whether to print every candidate of several runs; those of a single run are printed in any case.
    """
    from responder_ml.report.leaderboard import ACROSS, MEASURES, count_subjects, families
    from responder_ml.search.candidate import AUTO

    if comparison.simulated:
        print_simulated(console)
    leaderboard = comparison.leaderboard
    for row in leaderboard.drop_duplicates("run").to_dict("records"):
        facts = [f"{row['question']}, {count_subjects(row)} subjects", row["where"]]
        print_line(console, f"{row['run']}: {'; '.join(filter(None, facts))}")
    table = Table(
        folding("run"),
        folding("candidate"),
        *map(_number, (MEASURES[comparison.measure], "95 % interval", "p", "verdict")),
    )
    headlines_only = not candidates and leaderboard["run"].nunique() > 1
    for row in leaderboard.to_dict("records"):
        if row["candidate"] == AUTO or not headlines_only:
            table.add_row(*_performance(row, comparison.measure))
    print_table(console, table)
    for title, rows in families(comparison.pairs).items():
        if headlines_only and title != ACROSS:
            continue
        print_table(console, _pair_table(f"{title}, first minus second", rows))
    for note in comparison.notes:
        print_line(console, note)
    if headlines_only:
        print_line(console, "Only the headline of each run is printed; --candidates prints all, and --out writes them.")


def _number(title: str) -> Column:
    return Column(title, no_wrap=True)


def _performance(row: dict[Any, Any], measure: str) -> tuple[str | Text, ...]:
    from responder_ml.report.words import spoken
    from responder_ml.search.candidate import AUTO

    return (
        row["run"],
        Text(spoken(row["candidate"]), style="bold" if row["candidate"] == AUTO else ""),
        f"{row[measure]:.2f}",
        f"{row[f'{measure}_low']:.2f} to {row[f'{measure}_high']:.2f}",
        _p(row["p_value"]),
        row["verdict"].replace("_", " "),
    )


def _pair_table(title: str, rows: "Rows") -> Table:
    import pandas as pd

    columns = map(_number, ("difference", "95 % interval", "p", "p (Holm)"))
    table = Table(folding("first"), folding("second"), *columns, title=title)
    for row in rows:
        table.add_row(
            *row["names"],
            f"{row['difference']:+.2f}",
            "not estimated" if pd.isna(row["low"]) else f"{row['low']:+.2f} to {row['high']:+.2f}",
            _p(row["p_value"]),
            _p(row["p_holm"]),
        )
    return table


def _p(value: float) -> str:
    """Return a p-value; nothing where none was computed."""
    import pandas as pd

    return "" if pd.isna(value) else f"{value:.2g}"

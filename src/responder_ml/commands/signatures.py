"""The command `signatures`: external signatures, scored in every sample and compared with the cohort's own changes."""

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
    from responder_ml.records.signatures import SignaturesRun

_MOST_SHOWN = 10


def signatures(
    config: Config,
    listed: Annotated[Path, typer.Argument(help="YAML file that lists the signatures.", metavar="SIGNATURES")],
    relabellings: Annotated[
        int | None, typer.Option(help="Labellings to run at most; the smallest p is one over their number.")
    ] = None,
    out: Out = None,
) -> None:
    """Score external signatures, contrast them between the classes, and compare them with the cohort's own changes."""
    from responder_ml.config import load_config
    from responder_ml.records.signatures import PAGE
    from responder_ml.signatures import default_folder, signatures
    from responder_ml.signatures_config import load_signatures

    console, job, manifest = Console(), load_config(config), load_signatures(listed)
    folder = out or default_folder(job, manifest)
    run = signatures(job, manifest, folder, progress=ProgressBar(console), **specified(relabellings=relabellings))
    show_signatures(console, run)
    print_line(console, f"Page:   {folder / PAGE}")
    print_line(console, f"Folder: {folder}")


def show_signatures(console: Console, run: "SignaturesRun") -> None:
    """Print the conclusion, then the signatures of smallest p, each value beside its value with no effect."""
    console.print()
    if run.result.simulated:
        print_simulated(console)
    print_line(console, run.result.sentence, style="bold")
    for row in run.rows:
        if row.circular:
            print_line(console, f"{row.signature}: circular; {row.circular}.")
    table = Table(folding("signature"), "difference", "AUROC", "p", "cosine", "reversed")
    for row in run.rows[:_MOST_SHOWN]:
        table.add_row(
            row.signature,
            f"{_shown(row.difference)} ({_shown(row.difference_no_effect)})",
            f"{_shown(row.auroc)} (0.50)",
            _shown(row.corrected_p, ".2g"),
            f"{_shown(row.cosine)} ({_shown(row.cosine_no_effect)})",
            f"{_shown(row.reversed, '.0%')} ({_shown(row.reversed_no_effect, '.0%')})",
        )
    print_table(console, table)
    print_line(
        console,
        "p: of the difference, corrected for all signatures. In brackets: the value with no effect, the mean over relabelled "
        "subjects.",
    )
    more = len(run.rows) - _MOST_SHOWN
    if more > 0:
        print_line(console, f"{more:,} more signatures are in signatures.csv.")
    for name, reason in list(run.result.dropped.items())[:_MOST_SHOWN]:
        print_line(console, f"Not used: {name} ({reason}).")


def _shown(value: float | None, style: str = ".2f") -> str:
    # Rounded first, so that no zero has a sign.
    return "" if value is None else format(round(value, 2) + 0.0 if style == ".2f" else value, style)

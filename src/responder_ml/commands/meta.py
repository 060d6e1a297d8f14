"""The command `meta`: the mean over cohorts, of runs, of signatures or of claims."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from responder_ml.commands.console import Out, folding, print_line, print_simulated, print_table

if TYPE_CHECKING:
    from responder_ml.records.meta import MetaRun
    from responder_ml.records.pooled import PooledRun

_MOST_SHOWN = 10


def meta(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of runs, of signatures or of claims, each of another cohort.", metavar="FOLDER..."
        ),
    ],
    claim: Annotated[
        list[str] | None,
        typer.Option(
            help="Claim to pool with all its statistics, such as R4; may be repeated. Verdicts' own lines by default."
        ),
    ] = None,
    out: Out = None,
) -> None:
    """Pool the AUROC of runs, external signatures, or claims over cohorts: mean, difference between cohorts, a new one."""
    from responder_ml.meta import default_folder, kind_of_folders, meta
    from responder_ml.meta_estimates import default_folder as default_folder_of_estimates
    from responder_ml.meta_estimates import meta_estimates
    from responder_ml.records.meta import PAGE
    from responder_ml.records.pooled import PAGE as POOLED_PAGE

    console, kind = Console(), kind_of_folders(folders, claim or ())
    if kind == "runs":
        folder = out or default_folder(folders)
        show_meta(console, meta(folders, folder))
        page = PAGE
    else:
        folder = out or default_folder_of_estimates(folders, kind, claim or ())
        show_pooled(console, meta_estimates(folders, kind, folder, claim or ()))
        page = POOLED_PAGE
    print_line(console, f"Page:   {folder / page}")
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


def show_pooled(console: Console, run: "PooledRun") -> None:
    """Print the conclusion, then the means of smallest p."""
    console.print()
    if run.result.simulated:
        print_simulated(console)
    print_line(console, run.result.sentence, style="bold")
    for note in run.result.notes:
        print_line(console, note)
    table = Table(folding("pooled"), "cohorts", "mean (no effect 0)", "95 % interval", "a new cohort", "FDR")
    for row in run.rows[:_MOST_SHOWN]:
        table.add_row(
            row.pooled,
            str(row.cohorts),
            f"{row.mean:.2f}",
            f"{row.low:.2f} to {row.high:.2f}",
            f"{row.prediction_low:.2f} to {row.prediction_high:.2f}",
            f"{row.fdr:.2g}",
        )
    print_table(console, table)
    more = len(run.rows) - _MOST_SHOWN
    if more > 0:
        print_line(console, f"{more:,} more are in pooled.csv.")
    if run.result.not_pooled:
        print_line(console, f"{len(run.result.not_pooled):,} not pooled: the page says why.")

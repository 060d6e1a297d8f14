"""The command `study`: many jobs that belong to one question, with one correction."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from responder_ml.commands.console import Out, ProgressBar, folding, print_line, print_table, verdict_style

if TYPE_CHECKING:
    from responder_ml.records.study import Study


def study(
    experiment: Annotated[Path, typer.Argument(help="YAML file of the study.", metavar="EXPERIMENT")],
    out: Out = None,
    runs: Annotated[
        bool, typer.Option("--runs", help="Also train every job, and write its run and its bundle below OUT.")
    ] = False,
) -> None:
    """Run a grid of jobs (regions x endpoints x subsets) with one correction over all of them, and write one page."""
    from responder_ml.search.checkpoints import run_checkpoint
    from responder_ml.study import default_folder, record_study, run_study, train_jobs
    from responder_ml.study_config import load_study

    config, console = load_study(experiment), Console()
    folder, progress = out or default_folder(config), ProgressBar(console)
    with run_checkpoint(folder) as checkpoint:
        record = run_study(config, folder, checkpoint, progress)
        show_study(console, record, folder)
        record_study(config, record, folder, progress)
        if runs:
            train_jobs(config, record, folder, progress)


def show_study(console: Console, study: "Study", folder: Path) -> None:
    """Print the conclusion, then one row for every job."""
    from responder_ml.records.study import PAGE

    print_line(console, study.result.sentence)
    numbers = (Column(title, no_wrap=True) for title in ("subjects", "AUROC", "corrected p", "verdict"))
    table = Table(folding("job"), *numbers)
    for row in study.tables["jobs"].to_dict("records"):
        table.add_row(*_job_cells(row))
    print_table(console, table)
    for row in study.tables["fusion"].to_dict("records"):
        print_line(
            console,
            f"{row['endpoint']}, {row['subset']}: {row['first']} minus {row['second']} {row['difference']:+.2f} "
            f"(corrected 95 % interval {row['low']:+.2f} to {row['high']:+.2f})",
        )
    print_line(console, f"Page:   {folder / PAGE}")


def _job_cells(row: dict[Any, Any]) -> tuple[str | Text, ...]:
    import pandas as pd

    from responder_ml.report.numbers import p_text

    return (
        row["job"],
        f"{row['n_positive']} v {row['n_negative']}",
        "" if pd.isna(row["auroc"]) else f"{row['auroc']:.2f}",
        "" if pd.isna(row["corrected_p"]) else p_text(row["corrected_p"]),
        Text(row["verdict"].replace("_", " "), style=verdict_style(row["verdict"])),
    )

"""The command `study`: many jobs of one question, with one correction."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import Out, ProgressBar


def study(
    experiment: Annotated[Path, typer.Argument(help="YAML file of the study.", metavar="EXPERIMENT")],
    out: Out = None,
    runs: Annotated[
        bool, typer.Option("--runs", help="Also train every job: a run and a bundle each, below OUT.")
    ] = False,
) -> None:
    """Run a grid of jobs (regions x endpoints x subsets), correct over all of them, and write one overview."""
    from responder_ml.screen.study import show_study
    from responder_ml.study import default_folder, record_study, study, train_jobs
    from responder_ml.study_config import load_study

    config, console = load_study(experiment), Console()
    folder = out or default_folder(config)
    found = study(config, folder, ProgressBar(console))
    show_study(console, found, folder)
    record_study(config, found, folder, ProgressBar(console))
    if runs:
        train_jobs(config, found, folder, ProgressBar(console))

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
    from responder_ml.search.checkpoints import run_checkpoint
    from responder_ml.study import default_folder, record_study, run_study, train_jobs
    from responder_ml.study_config import load_study

    config, console = load_study(experiment), Console()
    folder, progress = out or default_folder(config), ProgressBar(console)
    with run_checkpoint(folder) as checkpoint:
        result = run_study(config, folder, checkpoint, progress)
        show_study(console, result, folder)
        record_study(config, result, folder, progress)
    if runs:
        train_jobs(config, result, folder, progress)

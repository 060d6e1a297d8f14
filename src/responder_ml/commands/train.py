"""The command `train`: from a job's YAML file to a run folder and a bundle."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import Config, Out, ProgressBar


def train(
    config: Config,
    out: Out = None,
    bundle: Annotated[Path | None, typer.Option(help="Bundle folder, models/NAME by default.")] = None,
) -> None:
    """Search, test against relabelled subjects, explain, and write a run folder and a bundle."""
    from responder_ml.config import load_config
    from responder_ml.screen.job import show_run
    from responder_ml.search.checkpoints import run_checkpoint
    from responder_ml.train import default_folders, record, train

    job = load_config(config)
    console = Console()
    run_folder, bundle_folder = default_folders(job)
    run_folder, bundle_folder = out or run_folder, bundle or bundle_folder
    with run_checkpoint(run_folder) as kept:
        run = train(job, run_folder, bundle_folder, ProgressBar(console), kept)
        show_run(console, run, run_folder, bundle_folder)
        record(job, run, run_folder, bundle_folder, ProgressBar(console))

"""The command `track`: send a finished run to MLflow."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import print_line


def track(
    run: Annotated[Path, typer.Argument(help="Folder that train or study wrote.", metavar="RUN")],
    bundle: Annotated[Path | None, typer.Option(help="Bundle folder of the run (default: models/NAME).")] = None,
    uri: Annotated[str | None, typer.Option(help="Tracking store (default: that of the job).")] = None,
    experiment: Annotated[str | None, typer.Option(help="MLflow experiment (default: that of the job).")] = None,
    register: Annotated[bool, typer.Option("--register", help="Register the bundle as an MLflow model.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Register it also where the run gave no evidence; its tag says so.")
    ] = False,
    optuna: Annotated[
        Path | None, typer.Option(help="Write the run's trials to this file for optuna-dashboard, and send nothing.")
    ] = None,
) -> None:
    """Send a finished run or study to MLflow; one that is already there is not sent again."""
    from responder_ml.track import track, write_optuna

    console = Console()
    if optuna is not None:
        names = write_optuna(run, optuna)
        print_line(
            console, f"Optuna studies in {optuna}: {', '.join(names)}; see them with `optuna-dashboard {optuna}`."
        )
        return
    tracked = track(run, bundle, uri=uri, experiment=experiment, register=register, anyway=anyway)
    print_line(console, f"Tracked in MLflow as {tracked.run_id}")
    if tracked.lacks_bundle:
        print_line(console, "Sent without a bundle; give its folder with --bundle to send it too.")

"""The command `track`: send a finished run to MLflow."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import print_line


def track(
    run: Annotated[Path, typer.Argument(help="Run folder, or a study's.", metavar="RUN")],
    bundle: Annotated[Path | None, typer.Option(help="Its bundle folder, models/NAME by default.")] = None,
    uri: Annotated[str | None, typer.Option(help="Tracking store, the job's own by default.")] = None,
    experiment: Annotated[str | None, typer.Option(help="MLflow experiment, the job's own by default.")] = None,
    register: Annotated[bool, typer.Option("--register", help="Register the bundle as an MLflow model.")] = False,
) -> None:
    """Send a finished run, or a study, to MLflow; a run that is there already is not sent twice."""
    from responder_ml.track import track

    console = Console()
    tracked = track(run, bundle, uri=uri, experiment=experiment, register=register)
    print_line(console, f"Tracked in MLflow as {tracked.run_id}")
    if tracked.lacks_bundle:
        print_line(console, "Sent without a bundle; name it with --bundle to send it too.")

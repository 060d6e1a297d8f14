"""The command `track`: send a finished run to MLflow."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def track(
    run: Annotated[Path, typer.Argument(help="Run folder, or a study's.", metavar="RUN")],
    bundle: Annotated[Path | None, typer.Option(help="Its bundle folder, models/NAME by default.")] = None,
    uri: Annotated[str | None, typer.Option(help="Tracking store, the job's own by default.")] = None,
    experiment: Annotated[str | None, typer.Option(help="MLflow experiment, the job's own by default.")] = None,
    register: Annotated[bool, typer.Option("--register", help="Register the bundle as an MLflow model.")] = False,
) -> None:
    """Send a finished run, or a study, to MLflow; one that is there already is not doubled."""
    from responder_ml.records.study import ANSWER
    from responder_ml.track import deliver, deliver_study

    console = Console()
    if (run / ANSWER).is_file():
        sent = deliver_study(run, uri=uri, experiment=experiment)
        console.print(f"Tracked in MLflow as {sent.run_id}", highlight=False, soft_wrap=True)
        return
    sent = deliver(run, bundle, uri=uri, experiment=experiment, register=register)
    console.print(f"Tracked in MLflow as {sent.run_id}", highlight=False, soft_wrap=True)
    if sent.bundle is None:
        console.print("Sent without a bundle; name it with --bundle to send it too.", highlight=False, soft_wrap=True)

"""The command `ui`: the MLflow page on the right store."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import print_line


def ui(
    config: Annotated[Path | None, typer.Option(help="Job whose store to open.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the web page.")] = None,
) -> None:
    """Open the MLflow page on the store that a job logs to."""
    from responder_ml.config import load_config
    from responder_ml.tracking.page_server import open_ui

    tracking = load_config(config).tracking if config else None
    uri, experiment = (tracking.uri, tracking.experiment) if tracking else (None, None)
    open_ui(uri, port, experiment=experiment, say=partial(print_line, Console()))

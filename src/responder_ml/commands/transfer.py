"""The command `transfer`: models of one region, drug, sex or cohort asked of another."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import Config, Out, ProgressBar


def transfer(
    config: Config,
    by: Annotated[
        str | None, typer.Option(help="Column whose values are held against one another: region, drug, sex.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="YAML file of another job, whose cohort is the other side.")] = None,
    out: Out = None,
) -> None:
    """Train on one region, drug, sex or cohort and test on another, as a matrix with nulls and intervals."""
    from responder_ml.config import load_config
    from responder_ml.screen.transfer import show_transfer
    from responder_ml.transfer import PAGE, default_folder, transfer, write_transfer

    console, job = Console(), load_config(config)
    other = None if to is None else load_config(to)
    folder = out or default_folder(job, by, other)
    record = transfer(job, by=by, to=other, progress=ProgressBar(console))
    write_transfer(record, folder)
    show_transfer(console, record)
    console.print(f"Page:   {folder / PAGE}", highlight=False, soft_wrap=True)
    console.print(f"Folder: {folder}", highlight=False, soft_wrap=True)

"""The command `lock`: write down a job before it is run."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import Config, print_line


def lock(
    config: Config,
    runs: Annotated[Path, typer.Option(help="Folder of the run folders, where `train` will look.")] = Path("runs"),
) -> None:
    """Lock a job before it runs: a digest of data, settings and program, which the verdict of `train` will name."""
    from responder_ml.config import load_config
    from responder_ml.lock import lock

    console, written = Console(), lock(load_config(config), runs)
    print_line(console, f"Locked on {written.time}: {written.digest}", style="bold")
    if written.before_first_run:
        print_line(
            console,
            "Deposit this digest where you cannot change it (a preregistration, an e-mail to a colleague). `train` with the same "
            "data and settings will have it in its verdict.",
        )
    else:
        print_line(
            console,
            "This job had already run on these data, and its verdict will say so. A lock means something before the first run.",
            style="yellow",
        )

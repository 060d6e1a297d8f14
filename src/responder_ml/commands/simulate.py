"""The command `simulate`: a simulated cohort as ordinary files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import print_line


def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    config: Annotated[
        Path | None, typer.Option(help="Job from which to take the simulator's parameters and seed.")
    ] = None,
) -> None:
    """Write a simulated cohort as ordinary files."""
    from responder_ml.build import simulate_to
    from responder_ml.config import load_config

    simulate_to(out, load_config(config) if config else None)
    print_line(Console(), f"Simulated cohort written to {out}")

"""The command `selftest`: does the procedure leak?"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import Config, ProgressBar, given
from responder_ml.selftest_size import SelfTestSize


def selftest(
    config: Config,
    cohorts: Annotated[
        int | None, typer.Option(help=f"Cohorts without effect of each kind, {SelfTestSize.cohorts} by default.")
    ] = None,
    permutations: Annotated[
        int | None, typer.Option(help=f"Relabellings for each cohort's p, {SelfTestSize.permutations} by default.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(help=f"Repeats of the outer folds, {SelfTestSize.repeats} by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="JSON file to write.")] = None,
) -> None:
    """Run the job on relabelled subjects and on noise of the same shape, and say whether it leaks."""
    from responder_ml.config import load_config
    from responder_ml.screen.selftest import show_selftest
    from responder_ml.selftest import selftest, write_selftest

    console = Console()
    effort = SelfTestSize(**given(cohorts=cohorts, permutations=permutations, repeats=repeats))
    found = selftest(load_config(config), effort, ProgressBar(console))
    show_selftest(console, found)
    if out is not None:
        write_selftest(found, out)

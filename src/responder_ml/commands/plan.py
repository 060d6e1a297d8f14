"""The command `plan`: what class sizes can show."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import given
from responder_ml.errors import ConfigError


def plan(
    positive: Annotated[int | None, typer.Option(help="Subjects of the positive class.")] = None,
    negative: Annotated[int | None, typer.Option(help="Subjects of the negative class.")] = None,
    strata: Annotated[str | None, typer.Option(help="Positive/negative subjects of each stratum: 3/3,3/4.")] = None,
    config: Annotated[Path | None, typer.Option(help="Take sizes, strata and level from this job.")] = None,
    auroc: Annotated[list[float] | None, typer.Option(help="A true AUROC to look at; may be repeated.")] = None,
    power: Annotated[float | None, typer.Option(help="Find the subjects needed for this power.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Level of the one-sided test.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write.")] = None,
) -> None:
    """Say what class sizes can show before anyone trains, and how many subjects a wanted power takes."""
    from responder_ml.config import load_config
    from responder_ml.plan import plan, plan_job, read_strata, write_plan
    from responder_ml.screen.planning import show_plan

    asked = given(aurocs=auroc, wanted_power=power, alpha=alpha)
    if config is not None:
        if (positive, negative, strata) != (None, None, None):
            raise ConfigError("--config brings its own class sizes. Leave out --positive, --negative and --strata.")
        found = plan_job(load_config(config), **asked)
    else:
        found = plan(positive, negative, strata=None if strata is None else read_strata(strata), **asked)
    show_plan(Console(), found)
    if out is not None:
        write_plan(found, out)

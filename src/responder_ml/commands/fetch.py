"""The command `fetch`: a GEO series as cohort files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import Out, given


def fetch(
    series: Annotated[str, typer.Argument(help="Accession of a GEO series, such as GSE81672.", metavar="SERIES")],
    out: Out = None,
    recipe: Annotated[Path | None, typer.Option(help="YAML file that says how to read this series.")] = None,
    source: Annotated[str | None, typer.Option(help="Expression from: auto, ncbi, supplementary or matrix.")] = None,
    sha256: Annotated[str | None, typer.Option(help="Checksum the expression file must have.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps downloads; yours to fill by hand, too.")] = None,
    archive: Annotated[str | None, typer.Option(help="Address of a server that stands in for GEO.")] = None,
) -> None:
    """Download a GEO series and write its expression and sample sheet for a job to read."""
    from responder_ml.commands.console import ProgressBar
    from responder_ml.fetch import fetch
    from responder_ml.screen.fetched import show_fetched

    console = Console()
    options = given(recipe=recipe, source=source, sha256=sha256, cache=cache, archive=archive)
    show_fetched(console, fetch(series, out, **options, progress=ProgressBar(console)))

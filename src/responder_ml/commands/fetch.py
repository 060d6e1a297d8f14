"""The command `fetch`: a GEO series as cohort files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import Out, ProgressBar, print_line, specified

if TYPE_CHECKING:
    from responder_ml.fetch import FetchedSeries


def fetch(
    series: Annotated[str, typer.Argument(help="Accession of a GEO series, such as GSE81672.", metavar="SERIES")],
    out: Out = None,
    recipe: Annotated[Path | None, typer.Option(help="YAML file that describes how to read this series.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Source of the expression: auto, ncbi, supplementary or matrix.")
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="SHA-256 checksum that the expression file must have.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for downloads; you can put files there by hand.")] = None,
    archive: Annotated[str | None, typer.Option(help="Address of a server to use instead of GEO.")] = None,
) -> None:
    """Download a GEO series, and write the expression file and sample sheet that a job reads."""
    from responder_ml.fetch import fetch

    console = Console()
    options = specified(recipe=recipe, source=source, sha256=sha256, cache=cache, archive=archive)
    show_fetched(console, fetch(series, out, **options, progress=ProgressBar(console)))


def show_fetched(console: Console, fetched: "FetchedSeries") -> None:
    """Print what the files contain, the notes, where the files are, and the lines that a job's YAML file needs."""
    provenance, folder = fetched.provenance, fetched.folder.resolve()
    n, units = provenance["n"], provenance["units"]
    lines = [
        f"{provenance['series']}: {n['samples']} samples x {n['genes']} genes, {units}, gene names like "
        f"{provenance['gene_ids']}, from {provenance['source']}.",
        *(f"Note: {note}" for note in provenance["notes"]),
        f"Files: {fetched.folder}",
        f"In a job: cohort: {{source: table, expression: {folder / provenance['expression']}, "
        f"samples: {folder / provenance['samples']}, units: {units}}}",
    ]
    for line in lines:
        print_line(console, line)

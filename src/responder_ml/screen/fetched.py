"""What ``fetch`` prints: the files, what is in them, what to know of them, and how a job names them."""

from rich.console import Console

from responder_ml.fetch import FetchedSeries


def show_fetched(console: Console, found: FetchedSeries) -> None:
    """Print where the files are, every note, and the lines a job's YAML file needs."""
    about = found.provenance
    size, folder = about["n"], found.folder.resolve()
    lines = [
        f"{about['series']}: {size['samples']} samples x {size['genes']} genes, {about['units']}, gene names like "
        f"{about['gene_ids']}, from {about['source']}.",
        *(f"Note: {note}" for note in about["notes"]),
        f"Files: {found.folder}",
        f"In a job: cohort: {{source: table, expression: {folder / about['expression']}, "
        f"samples: {folder / about['samples']}, units: {about['units']}}}",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True, markup=False)

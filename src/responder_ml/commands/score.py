"""The command `score`: new samples against a bundle."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import Out, given


def score(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder that `train` wrote.", metavar="BUNDLE")],
    expression: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet, Excel or h5ad.", metavar="EXPRESSION")],
    out: Out = None,
    samples: Annotated[Path | None, typer.Option(help="Sample sheet; labels in it are evaluated, never used.")] = None,
    units: Annotated[str | None, typer.Option(help="counts, log2 or tpm; the bundle's if not given.")] = None,
    prior: Annotated[float | None, typer.Option(help="Share of positives in the population aimed at.")] = None,
    gene_map: Annotated[
        Path | None, typer.Option(help="Table of gene names: as in EXPRESSION, as in the model; or YAML, see docs.")
    ] = None,
    align_batch: Annotated[str | None, typer.Option(help="Sheet column naming batches to align to training.")] = None,
    missing: Annotated[str | None, typer.Option(help="Missing genes: impute, skip or refuse.")] = None,
) -> None:
    """Score new samples, with what each lacks and whether the model is entitled to an opinion."""
    from responder_ml.score import score
    from responder_ml.screen.scores import show_scores

    policy = given(missing=missing, gene_map=gene_map, align_batch=align_batch)
    table = score(bundle, expression, samples=samples, units=units, out=out, prior=prior, **policy)
    show_scores(Console(), table, out)

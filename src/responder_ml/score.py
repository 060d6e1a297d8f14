"""Score new samples: load bundle -> align genes -> check applicability -> score -> table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.build import build_genes
from responder_ml.bundles.align_batches import align_batches
from responder_ml.bundles.bundle import BUNDLE_FOLDER, read_bundle
from responder_ml.bundles.graded_bundle import is_graded
from responder_ml.bundles.sample_covariates import SampleCovariates
from responder_ml.bundles.scorer import Scorer, match_source
from responder_ml.cohort.alignment import MatchedGenes
from responder_ml.cohort.expression_source import ExpressionSource, open_expression
from responder_ml.cohort.sample_table import check_suffix, write_sample_table
from responder_ml.config import load_genes
from responder_ml.errors import CohortError, ExpressionError
from responder_ml.evaluation.external_validation import evaluate_scores, read_sheet_of_samples
from responder_ml.evaluation.model_units import Transport
from responder_ml.records.files import write_text
from responder_ml.records.ownership import refuse_inside
from responder_ml.records.run import RUN_FOLDER
from responder_ml.report.score import write_scores_page
from responder_ml.score_graded import refuse_options, score_graded
from responder_ml.search.missing_gene_policy import check_policy

# Samples read and scored at once: 20,000 genes of these are 330 and 40 MB. Reading a column of a Parquet file has a fixed cost.
_READ, _BLOCK = 2048, 256


def score(
    bundle_folder: Path,
    expression: Path,
    *,
    samples: Path | None = None,
    units: str | None = None,
    out: Path | None = None,
    prior: float | None = None,
    missing: str = "impute",
    gene_map: Path | None = None,
    align_batch: str | None = None,
    transport: Transport = "none",
    columns: Mapping[str, str] | None = None,
    anyway: bool = False,
    report: Path | None = None,
    sheet_name: str | None = None,
    layer: str | None = None,
    without_covariates: bool = False,
) -> pd.DataFrame:
    """Score the samples of an expression file with a bundle; one of a graded outcome predicts it (`score_graded`).

    A sample's numbers depend on the bundle and on that sample alone, never on what else is in the file.

    Parameters
    ----------
    bundle_folder
        Folder that ``train`` wrote.
    expression
        Text table, Parquet, workbook or h5ad, or a folder or a pattern of files; read like a job's, its orientation recognised
        by the model's genes.
    samples
        Sample sheet; where it has the endpoint's column the scores are evaluated on it. Labels are never used to score. A model
        that is adjusted for covariates takes them from here.
    units
        Of the expression; the bundle's by default.
    out
        Table to write (``.csv``, ``.tsv``, ``.xlsx``, ``.parquet``, ``.h5ad``); a summary beside it as
        ``.summary.json``.
    prior
        Share of positives in the target population; the training share by default.
    missing
        Policy for missing genes: ``impute``, ``skip`` or ``refuse``; see `search.missing_gene_policy`.
    gene_map
        Table that translates the file's gene names into the model's, or a YAML file with the keys of ``cohort.genes``.
    align_batch
        Column of the sample sheet that names batches to align to the training samples; see `evaluation.batch_alignment`.
        Never by default: only then do a sample's numbers depend on other samples, those of its batch.
    transport
        ``quantile`` gives each sample the distribution of the typical training sample, with its own order of genes; see
        ``experiments/transport`` for what that gains. ``none`` by default.
    columns
        Canonical name: its name in the sample sheet, such as ``{"sample": "library", "subject": "mouse"}``. The names that
        the sheet of the training had are known.
    anyway
        Whether to score with a bundle whose training gave no evidence.
    report
        Page to write, one HTML file that needs nothing else.
    sheet_name, layer
        Sheet of a workbook, and layer of an h5ad file, that hold the expression.
    without_covariates
        Whether to score with an adjusted model as if every sample had the training mean of its covariates.

    Returns
    -------
    pandas.DataFrame
        One row per sample; ``docs/scoring.md`` describes the columns. ``attrs["summary"]`` holds what concerns all rows.

    Raises
    ------
    BundleError, CoverageError, CohortError, EndpointError, RunError
        The bundle cannot be trusted or its training gave no evidence, too many genes are missing, a table cannot be used or
        would be written over, the prior is not a share, or a file would be written into a bundle or a run.
    """
    if is_graded(bundle_folder):
        refuse_options(prior=prior is not None, align_batch=align_batch, transport=transport != "none", report=report)
        return score_graded(
            bundle_folder,
            expression,
            samples=samples,
            units=units,
            out=out,
            missing=missing,
            gene_map=gene_map,
            columns=columns,
            anyway=anyway,
            sheet_name=sheet_name,
            layer=layer,
            without_covariates=without_covariates,
        )
    check_policy(missing)
    _check_transport(transport, align_batch)
    check_outputs(out, report, [expression, samples, gene_map, *bundle_folder.glob("*")])
    bundle = read_bundle(bundle_folder)
    bundle.worth.require_evidence(str(bundle_folder), anyway=anyway)
    sheet = None if samples is None else read_sheet_of_samples(samples, bundle.manifest.columns, columns or {})
    units = units or bundle.units
    translation = None if gene_map is None else build_genes(load_genes(gene_map))
    source = open_expression(
        expression, bundle.genes, translation=translation, units=units, sheet=sheet_name, layer=layer
    )
    matched = match_source(bundle, source)
    alignment = None
    if align_batch is not None:
        blocks = _read_blocks(source, matched)
        alignment = align_batches(bundle, matched, units, source.samples, blocks, sheet, align_batch)
    covariates = SampleCovariates(bundle, source.samples, sheet, at_mean=without_covariates)
    scorer = Scorer(bundle, matched, units, missing, prior, alignment, transport, covariates)
    table = _score_blocks(scorer, _read_blocks(source, matched), len(source.samples))
    summary = {**scorer.summary(table), "gene_map": source.gene_map, "reading": [note.message for note in source.notes]}
    if samples is not None and sheet is not None:
        known = () if bundle.fingerprints is None else bundle.fingerprints.subjects.tolist()
        evaluation, match = evaluate_scores(table, sheet, samples.name, bundle.labels, scorer.threshold, known)
        summary |= {"evaluation": evaluation, "labels": {**match.content(), "notes": match.sentences()}}
    table.attrs["summary"] = summary
    if out is not None:
        write_scores(table, out, expression)
    if report is not None:
        write_scores_page(table, report, expression.name, bundle.classes, scorer.held_out_probabilities)
    return table


def check_outputs(out: Path | None, report: Path | None, inputs: Sequence[Path | None]) -> None:
    """Refuse a table or a page of scores that cannot be written, before any work.

    Parameters
    ----------
    out, report
        The table and the page, if any.
    inputs
        What is read.

    Raises
    ------
    CohortError, RunError
        The table's suffix is none, a file that is read would be written over, or one would lie in a bundle or a run.
    """
    if out is not None:
        check_suffix(out)
    outputs = [path for path in (out, out and summary_path(out), report) if path is not None]
    _refuse_overwriting(outputs, inputs)
    for output in outputs:
        refuse_inside(output, (BUNDLE_FOLDER, RUN_FOLDER.kind))


def write_scores(table: pd.DataFrame, out: Path, expression: Path) -> None:
    """Write a table of scores, and beside it what concerns all of its rows.

    Raises
    ------
    CohortError, RunError
        A file cannot be written.
    """
    write_sample_table(table, out, expression)
    write_text(summary_path(out), json.dumps(table.attrs["summary"], indent=1, allow_nan=False) + "\n")


def summary_path(out: Path) -> Path:
    """Return where the summary of a table of scores is."""
    return out.with_name(f"{out.stem}.summary.json")


def _check_transport(transport: str, align_batch: str | None) -> None:
    choices = get_args(Transport)
    if transport not in choices:
        raise ExpressionError(f"The transport is '{transport}', but must be one of {', '.join(choices)}.")
    if transport != "none" and align_batch is not None:
        raise ExpressionError(
            f"--transport {transport} and --align-batch both change the values of the samples. Choose one of them."
        )


def _refuse_overwriting(outputs: Sequence[Path], inputs: Sequence[Path | None]) -> None:
    """Refuse to write over a file that is read, under whatever name, or two files of one name."""
    if len({output.resolve() for output in outputs}) < len(outputs):
        raise CohortError(f"--out and --report name one file, {outputs[-1]}. Give each its own.")
    for output in outputs:
        for path in inputs:
            if path is not None and path.exists() and output.exists() and output.samefile(path):
                raise CohortError(
                    f"{output} is the same file as {path}, which is read, so writing it would destroy it. Choose another name "
                    "with --out."
                )


def _read_blocks(source: ExpressionSource, matched: MatchedGenes) -> Iterator[tuple[list[str], Floats]]:
    """Yield names and samples x genes found, a few samples at a time."""
    for start in range(0, len(source.samples), _READ):
        names = list(source.samples[start : start + _READ])
        values = source.block(np.arange(start, start + len(names)), matched.columns)
        for first in range(0, len(names), _BLOCK):
            yield names[first : first + _BLOCK], values[first : first + _BLOCK]


def _score_blocks(scorer: Scorer, blocks: Iterator[tuple[list[str], Floats]], n_samples: int) -> pd.DataFrame:
    """Score blocks, several at once on threads: numpy releases the interpreter while it computes, and nothing is copied."""
    from joblib import Parallel, delayed

    if n_samples <= _BLOCK:
        parts = [scorer.rows(names, values) for names, values in blocks]
    else:
        threads = Parallel(n_jobs=-1, backend="threading", pre_dispatch="n_jobs")
        parts = list(threads(delayed(scorer.rows)(names, values) for names, values in blocks))
    return pd.concat(parts, ignore_index=True)

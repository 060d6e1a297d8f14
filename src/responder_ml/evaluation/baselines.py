"""Baselines: models that the headline has to beat, on the same folds, without the expression of interest.

Each baseline is a small matrix of label-free columns and a ridge logistic regression of fixed strength, standardised and
fitted on the same training rows as the headline. Random signatures are scored by a nearest-centroid rule instead.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.cohort.association import is_categorical
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.gene_ids import kind_of
from responder_ml.evaluation.composition import marker_columns, mean_markers
from responder_ml.evaluation.conditional import LIBRARY_SIZE, counts_as_nuisance, library_sizes
from responder_ml.evaluation.metrics import OutOfFold, by_subject
from responder_ml.search.search_data import standardisation
from responder_ml.statistics.columns import deviations_within
from responder_ml.statistics.seeds import generator

Decide = Callable[[Flags, Flags, NDArray[np.int8]], Floats]

CELL_TYPES = "cell-type markers"
_RANDOM_SIGNATURES = 10
_EXPRESSION_BINS = 10
# Of the draws of random genes, whatever the run's seed: which genes are drawn should not turn a sentence of the verdict. It is the
# seed that jobs have where they name none.
_SEED = 7


@dataclass(frozen=True)
class Baseline:
    """Columns whose predictive value the headline is compared with.

    Attributes
    ----------
    name
        Its name in tables.
    columns
        Samples x columns; without any column, the baseline predicts the majority class.
    nuisance
        Whether it holds nuisances only: declared columns and, for counts, the library size.
    """

    name: str
    columns: Floats
    nuisance: bool = False


def sheet_columns(sheet: pd.DataFrame, names: Sequence[str], measured: Collection[str] = ()) -> Floats:
    """Turn columns of the sample sheet into numbers: one indicator per category, measurements as they are.

    Columns in ``measured`` are measurements, however few values they have.
    """
    parts: list[Floats] = []
    for name in names:
        values = sheet[name]
        if name not in measured and is_categorical(values):
            parts.append(pd.get_dummies(values.astype(str)).to_numpy(dtype=np.float64))
        else:
            numbers = pd.to_numeric(values).to_numpy(dtype=np.float64)
            parts.append(np.where(np.isnan(numbers), np.nanmean(numbers), numbers)[:, None])
            if 0 < np.isnan(numbers).sum() < len(numbers):
                parts.append(np.isnan(numbers).astype(np.float64)[:, None])
    return np.column_stack(parts) if parts else np.empty((len(sheet), 0))


def list_baselines(labelled: LabelledCohort, log2: Floats) -> list[Baseline]:
    """Return the baselines that these data allow: majority, nuisance jointly and one by one, depth, drug, cell types.

    Depth is library size and number of detected genes, for counts, and RIN where the sheet has it. Cell types are the mean log2
    expression of each type's marker genes.

    Parameters
    ----------
    labelled
        Sheet, genes and nuisance columns. Of matched pairs, deviations from the pair's mean are taken in all columns.
    log2
        Log2 expression, samples x genes.
    """
    sheet = labelled.cohort.obs
    baselines = [Baseline("majority", np.empty((len(sheet), 0)))]
    columns_of = {name: sheet_columns(sheet, [name], labelled.endpoint.measured) for name in labelled.endpoint.nuisance}
    if counts_as_nuisance(labelled):
        columns_of[LIBRARY_SIZE] = library_sizes(labelled)[:, None]
    if len(columns_of) > 1:
        baselines.append(Baseline("all nuisance columns", np.column_stack(list(columns_of.values())), nuisance=True))
    baselines += [Baseline(name, columns, nuisance=True) for name, columns in columns_of.items()]
    depth = _depth(labelled)
    if depth.shape[1]:
        baselines.append(Baseline("depth and quality", depth))
    if "drug" in sheet.columns and sheet["drug"].nunique() > 1 and "drug" not in columns_of:
        baselines.append(Baseline("drug", sheet_columns(sheet, ["drug"])))
    composition = _cell_types(labelled, log2)
    if composition.shape[1]:
        baselines.append(Baseline(CELL_TYPES, composition))
    if labelled.paired:
        return [replace(one, columns=deviations_within(one.columns, labelled.strata)) for one in baselines]
    return baselines


def marker_notes(labelled: LabelledCohort) -> tuple[str, ...]:
    """Return a sentence where no marker of a cell type is among the genes, so that there is no baseline of composition."""
    if marker_columns(labelled.genes.tolist(), labelled.cohort.obs):
        return ()
    kind = kind_of(labelled.genes.tolist())
    return (
        f"No marker of a cell type is among the gene names ({kind}), so composition of the tissue is not held against the result. "
        "Symbols of mouse, rat and human are known; translate other names with `cohort.genes`.",
    )


def evaluate_baseline(baseline: Baseline, headline: OutOfFold, subject_of: Indices) -> OutOfFold:
    """Fit a baseline to the training rows of every outer fold of the headline and decide on the held-out ones."""

    def decide(train: Flags, test: Flags, labels: NDArray[np.int8]) -> Floats:
        if baseline.columns.shape[1] == 0:
            return np.full(np.count_nonzero(test), np.log(labels.mean() / (1.0 - labels.mean())))
        mean, scale = standardisation(baseline.columns[train])
        columns = (baseline.columns - mean) / scale
        return ElasticNet(C=1.0).decide_each([(columns[train], labels, columns[test])])[0]

    return _same_folds(decide, headline, subject_of)


def evaluate_random_signatures(
    expression: Floats, sizes: Sequence[int], model_level: Floats, headline: OutOfFold, subject_of: Indices
) -> list[OutOfFold]:
    """Score random gene sets of the size and expression level of the model's genes with a nearest-centroid rule.

    Parameters
    ----------
    expression
        Log2 expression, samples x genes.
    sizes
        Number of genes in the model, one per outer model; their median is used.
    model_level
        Mean expression of the genes that the models use; random genes are drawn from the same deciles of expression.
    headline, subject_of
        Folds, and the subject of each sample.

    References
    ----------
    Venet D, Dumont JE, Detours V (2011) doi:10.1371/journal.pcbi.1002240
    """
    level = expression.mean(axis=0)
    edges = np.quantile(level, np.linspace(0, 1, _EXPRESSION_BINS + 1)[1:-1])
    bins = np.searchsorted(edges, level)
    share = np.bincount(np.searchsorted(edges, model_level), minlength=_EXPRESSION_BINS) / max(len(model_level), 1)
    weight = (share / np.maximum(np.bincount(bins, minlength=_EXPRESSION_BINS), 1))[bins]
    size = int(min(np.median(sizes), np.count_nonzero(weight)))
    results = []
    for number in range(_RANDOM_SIGNATURES):
        drawn = generator(_SEED, "random signature", number).choice(
            len(level), size=size, replace=False, p=weight / weight.sum()
        )
        genes = expression[:, drawn]

        def decide(train: Flags, test: Flags, labels: NDArray[np.int8], genes: Floats = genes) -> Floats:
            mean, scale = standardisation(genes[train])
            columns = (genes - mean) / scale
            return NearestCentroid().decide_each([(columns[train], labels, columns[test])])[0]

        results.append(_same_folds(decide, headline, subject_of))
    return results


def _same_folds(decide: Decide, headline: OutOfFold, subject_of: Indices) -> OutOfFold:
    labels = headline.labels[subject_of]
    decisions = np.empty((len(headline.folds), len(subject_of)))
    for repeat, folds in enumerate(headline.folds):
        of_sample = folds[subject_of]
        for fold in np.unique(folds):
            train, test = of_sample != fold, of_sample == fold
            decisions[repeat, test] = decide(train, test, labels[train])
    subjects = by_subject(decisions, subject_of, len(headline.labels))
    return replace(headline, decisions=subjects, thresholds=np.zeros_like(subjects))


def _cell_types(labelled: LabelledCohort, log2: Floats) -> Floats:
    return mean_markers(log2, marker_columns(labelled.genes.tolist(), labelled.cohort.obs))


def _depth(labelled: LabelledCohort) -> Floats:
    parts: list[Floats] = []
    if labelled.library_size is not None:
        parts.append(library_sizes(labelled)[:, None])
    if labelled.cohort.uns.get("units") == "counts":
        parts.append((labelled.expression > 0).sum(axis=1).astype(np.float64)[:, None])
    if "rin" in labelled.cohort.obs.columns:
        parts.append(sheet_columns(labelled.cohort.obs, ["rin"]))
    return np.column_stack(parts) if parts else np.empty((len(labelled.subject_of), 0))

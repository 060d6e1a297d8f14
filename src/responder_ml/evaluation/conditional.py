"""The nuisances of a cohort, subject by subject, and whether they could be what the headline found.

A nuisance explains a result only along a chain: it is associated with the class, and the decisions follow it. Both links are
tested, each by relabelling. Where neither can be shown, a nuisance column costs nothing, however it splits the subjects;
where both can, only what holds within it counts (`permutation.run_null` with the cells and log-odds of this file).

The second link is tested among subjects of one class, where the class itself cannot be what decisions follow: do they rise with
the label that the nuisances alone would give? There the test sees a batch that leads the model better than the headline does,
unless batch and class are nearly the same; then the first link is beyond doubt.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.conditional_permutation import centred_within, label_log_odds, normal_scores
from responder_ml.evaluation.p_values import exact_p, reaches
from responder_ml.evaluation.relabel import are_pairs, count_labellings, draw_labellings, enumerate_labellings
from responder_ml.search.splits import count_classes
from responder_ml.statistics.seeds import generator

LIBRARY_SIZE = "library size"
"""Name of the nuisance that counts bring with them."""
ASSOCIATED, FOLLOWED = 0.3, 0.2
"""p up to which a nuisance counts as associated with the class, and decisions as following it: chosen by simulation; what they
let through is in experiments/verdict_calibration."""

# Relabellings of both tests, and the number of labellings up to which all are used. The random numbers do not depend on the
# run's seed: these tests cost little, so no run's verdict should hang on their draws.
_DRAWS, _MOST_ENUMERATED = 4_999, 5_000
_SEED = 0
# A column's slope is shrunk as if by one more subject without an effect.
_RIDGE = 1.0
_MISSING = "(missing)"


@dataclass(frozen=True)
class Nuisance:
    """What must not explain a result, one row per subject.

    Attributes
    ----------
    names
        Columns of the sheet, in their order, and the library size for counts.
    declared
        Whether a column was declared; otherwise there is the library size alone.
    cells
        Code of each subject's stratum and categories, shape ``(n_subjects,)``; labels are exchanged within.
    measured
        Normal scores of measurements, subjects x measurements.
    columns
        Indicators of the categories and the measurements, subjects x columns.
    """

    names: tuple[str, ...]
    declared: bool
    cells: Indices
    measured: Floats
    columns: Floats

    def log_odds(self, labels: Labels) -> Floats | None:
        """Return each subject's log-odds given its measurements (`label_log_odds`); None without measurements."""
        return label_log_odds(self.measured, labels, self.cells) if self.measured.shape[1] else None


@dataclass(frozen=True)
class NuisanceLinks:
    """Both links of the chain from class over nuisances to decisions, as p values.

    Attributes
    ----------
    association_p
        Of no association of the nuisances, jointly, with the class, within strata.
    following_p
        Of decisions that do not follow the nuisances among subjects of one class and stratum.
    """

    association_p: float
    following_p: float

    @property
    def may_explain(self) -> bool:
        """Tell whether neither link is missing."""
        return self.association_p <= ASSOCIATED and self.following_p <= FOLLOWED


def counts_as_nuisance(labelled: LabelledCohort) -> bool:
    """Tell whether the library size is among the nuisances."""
    return labelled.endpoint.library_size and labelled.library_size is not None


def library_sizes(labelled: LabelledCohort) -> Floats:
    """Return log2 of each sample's sum of counts, shape ``(n_samples,)``; nothing for other units."""
    sums = labelled.library_size
    return np.empty(0) if sums is None else np.asarray(np.log2(sums + 1.0), dtype=np.float64)


def nuisance_of(labelled: LabelledCohort) -> Nuisance | None:
    """Return the nuisances of a cohort; None where none is declared and units are not counts.

    A subject with samples of several batches has the combination as its category; measurements are averaged.
    """
    declared = labelled.endpoint.nuisance
    sheet, subject_of, n_subjects = labelled.cohort.obs, labelled.subject_of, len(labelled.subjects)
    categories: list[Indices] = [np.asarray(labelled.strata, dtype=np.intp)]
    parts: list[Floats] = []
    numbers: list[Floats] = []
    for name in declared:
        if labelled.is_category(name):
            codes = _categories(sheet[name], subject_of)
            categories.append(codes)
            parts.append((codes[:, None] == np.unique(codes)).astype(np.float64))
        else:
            values = pd.to_numeric(sheet[name]).groupby(subject_of).mean()
            numbers.append(values.reindex(range(n_subjects)).to_numpy(dtype=np.float64))
            if np.isnan(numbers[-1]).any():
                # That a value is missing may go with the class, as a category may.
                numbers.append(np.isnan(numbers[-1]).astype(np.float64))
    names = tuple(declared)
    if counts_as_nuisance(labelled):
        numbers.append(np.bincount(subject_of, library_sizes(labelled)) / np.bincount(subject_of))
        names += (LIBRARY_SIZE,)
    if not names:
        return None
    measured = normal_scores(np.column_stack(numbers)) if numbers else np.empty((n_subjects, 0))
    cells = np.unique(np.column_stack(categories), axis=0, return_inverse=True)[1].ravel()
    columns = np.column_stack([*parts, measured])
    return Nuisance(names, bool(declared), np.asarray(cells, dtype=np.intp), measured, columns)


def measure_links(nuisance: Nuisance, labels: Labels, strata: Indices, decisions: Floats) -> NuisanceLinks:
    """Test both links.

    Parameters
    ----------
    nuisance
        One row per subject.
    labels, strata
        Label and stratum of each subject.
    decisions
        Out-of-fold decisions of the headline, repeats x subjects.
    """
    columns = centred_within(nuisance.columns, strata)
    precision: Floats = np.asarray(
        np.linalg.inv(columns.T @ columns + _RIDGE * np.eye(columns.shape[1])), dtype=np.float64
    )
    # With centred columns the sums over positives are the covariances with the label, within strata.
    observed = labels @ columns
    association_p = _association_p(columns, precision, labels, strata)
    expected = columns @ precision @ observed
    if are_pairs(count_classes(labels, strata)):
        # Pairs have one subject of a class: what the nuisances say of their difference is compared between pairs.
        first = labels == 1
        expected, labels, decisions = expected[first], labels[first], decisions[:, first]
        strata = np.zeros_like(strata[first])
    return NuisanceLinks(association_p, _following_p(expected, labels, strata, decisions))


def _association_p(columns: Floats, precision: Floats, labels: Labels, strata: Indices) -> float:
    """Return the p of the variation in the label that a ridge regression on the columns explains."""
    enumerable = count_labellings(labels, strata) <= _MOST_ENUMERATED
    if enumerable:
        labellings = enumerate_labellings(labels, strata)
    else:
        drawn = draw_labellings(labels, strata, _DRAWS, generator(_SEED, "nuisance and class"))
        labellings = np.concatenate([np.asarray(labels, dtype=np.int8)[None], drawn])
    sums = labellings @ columns
    explained = np.einsum("lk,kj,lj->l", sums, precision, sums)
    return exact_p(explained, float(explained[0]))


def _following_p(expected: Floats, labels: Labels, strata: Indices, decisions: Floats) -> float:
    """Return the one-sided p of decisions, ranked, rising with what the nuisances say, within class and stratum."""
    blocks = np.unique(np.column_stack([strata, labels]), axis=0, return_inverse=True)[1].ravel()
    ranks = rankdata(np.round(decisions.mean(axis=0), 9))
    said = centred_within(expected[:, None], blocks)[:, 0]
    rng = generator(_SEED, "nuisance and decisions")
    shuffled = np.tile(ranks, (_DRAWS, 1))
    for block in np.unique(blocks):
        inside = np.flatnonzero(blocks == block)
        shuffled[:, inside] = rng.permuted(shuffled[:, inside], axis=1)
    # Sums of ranks times values that cancel: compared at the size of the values, not of what is left of them.
    size = float(np.abs(ranks) @ np.abs(said)) or 1.0
    return float((1 + np.count_nonzero(reaches(shuffled @ said / size, float(ranks @ said) / size))) / (_DRAWS + 1))


def _categories(values: "pd.Series[Any]", subject_of: Indices) -> Indices:
    named = values.astype(object).where(values.notna(), _MISSING).astype(str)
    of_subject = named.groupby(subject_of).agg(lambda several: "\x1f".join(sorted(set(several))))
    return np.asarray(pd.factorize(of_subject, sort=True)[0], dtype=np.intp)

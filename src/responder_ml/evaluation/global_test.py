"""Is there any difference at all? One global test of all expressed genes, declared beforehand, beside the headline.

The headline asks whether held-out subjects can be told apart. The global test asks whether subjects of one class lie nearer to one
another than to the other class, over all expressed genes: the energy statistic of Szekely and Rizzo, twice the mean distance
between classes less the mean distances within them. Genes are centred within strata and divided by their standard deviation there,
so that each has the same weight. A subject's distance to itself is left out; otherwise the class of fewer subjects would seem more
compact than it is.

It finds shifts of many genes, however small and in whatever direction, and also classes that differ in spread alone, which may come
from the quality of libraries. Few genes with large shifts are the headline's domain. It has no direction, names no gene and
predicts nothing, and it decides no verdict.

It has no sign: where classes have equal sizes, a labelling and its mirror image tie, and the smallest attainable p is two over the
number of labellings.

Its null is relabelling subjects within strata, as the headline's: all labellings where they are few, otherwise the headline's
random labellings and more of the same sequence, for a labelling costs microseconds here.

References
----------
Szekely GJ, Rizzo ML (2013) Energy statistics: a class of statistics based on distances. doi:10.1016/j.jspi.2013.03.018
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from responder_ml.arrays import Flags, Floats, Indices, Labels
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.metrics import by_subject
from responder_ml.evaluation.p_values import exact_p, reaches
from responder_ml.evaluation.relabel import count_labellings, draw_labellings, enumerate_labellings
from responder_ml.features.expression_filter import ExpressionFilter
from responder_ml.statistics.columns import rounding_share
from responder_ml.statistics.seeds import generator

NAME = "energy"
"""Name of the test in results and tables."""

MOST_LABELLINGS = 10_000
"""All labellings are enumerated if they are no more than this; otherwise so many are run, the observed one among them."""

# Labellings whose statistics are computed together.
_BLOCK = 500
# Probability beyond each end of a 95 % interval.
_TAIL = (1 - 0.95) / 2


@dataclass(frozen=True)
class GlobalP:
    """The energy statistic against relabelled subjects.

    Attributes
    ----------
    z
        The observed statistic less its mean over relabelled subjects, in their standard deviations.
    p_value, p_interval
        One-sided p (a large statistic counts), and the exact (Clopper-Pearson) 95 % interval of its Monte Carlo error; both ends
        equal p where all labellings were enumerated.
    exact
        Whether they were.
    permutations
        Labellings that were run, the observed one included.
    labellings
        Distinct labellings there are.
    genes
        Genes that entered: expressed, and not constant within strata.
    """

    z: float
    p_value: float
    p_interval: tuple[float, float]
    exact: bool
    permutations: int
    labellings: int
    genes: int


@dataclass(frozen=True)
class GlobalTest:
    """The global test of a job.

    Attributes
    ----------
    within_strata
        Labels permuted, and expression centred, within strata.
    within_batches
        The same within strata and categorical nuisance columns. None if no such column is named, or if no subjects can exchange
        labels within them.
    """

    within_strata: GlobalP
    within_batches: GlobalP | None


def tell_global_test(test: GlobalTest, *, among_jobs: bool = False) -> str:
    """Return the sentence that stands after the verdict's.

    Parameters
    ----------
    test
        The test.
    among_jobs
        Whether the verdict's own p is corrected for other jobs, which this one is not.
    """
    within = "" if test.within_batches is None else f", within batches p = {_p(test.within_batches.p_value)}"
    uncorrected = ", not corrected for other jobs" if among_jobs else ""
    return (
        f"Global test for any difference (energy of {test.within_strata.genes:,} genes, no part of this verdict): "
        f"p = {_p(test.within_strata.p_value)}{within}{uncorrected}."
    )


def run_global_test(labelled: LabelledCohort, log2: Floats, seed: int) -> GlobalTest | None:
    """Test whether the classes differ anywhere.

    Genes are filtered by detection in all samples, whatever their class, which a test by relabelling allows. A subject is the mean
    of its samples.

    Parameters
    ----------
    labelled
        Labels, strata and nuisance columns.
    log2
        Log2 expression, samples x genes.
    seed
        The run's seed.

    Returns
    -------
    None where no gene varies within strata, or no subjects can exchange labels there.
    """
    expressed = expressed_genes(labelled)
    values = by_subject(log2[:, expressed].T, labelled.subject_of, len(labelled.labels)).T
    within_strata = energy_test(values, labelled.labels, labelled.strata, seed, "strata")
    if within_strata is None:
        return None
    batch = [name for name in labelled.endpoint.nuisance if labelled.is_category(name)]
    if not batch:
        return GlobalTest(within_strata, None)
    cells = labelled.codes([*labelled.endpoint.strata, *batch])
    return GlobalTest(within_strata, energy_test(values, labelled.labels, cells, seed, "strata and batch"))


def expressed_genes(labelled: LabelledCohort) -> Flags:
    """Return which genes enough samples express, whatever their class; boolean over genes."""
    units = str(labelled.cohort.uns["units"])
    return np.asarray(ExpressionFilter(units).fit(labelled.expression).kept_, dtype=np.bool_)


def energy_test(values: Floats, labels: Labels, strata: Indices, seed: int, name: str) -> GlobalP | None:
    """Compare the energy statistic of the observed labels with that of relabelled subjects.

    Parameters
    ----------
    values
        Log2 expression, subjects x genes.
    labels, strata
        0/1 label and stratum code of each subject.
    seed, name
        The run's seed, and the name of the random numbers: the null of the same name draws the same labellings first.

    Returns
    -------
    None where no gene varies within strata, or there is one labelling only.

    Examples
    --------
    One gene that follows the labels: of 20 labellings, the observed one and its mirror image are furthest apart.

    >>> values = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    >>> result = energy_test(values, np.array([0, 0, 0, 1, 1, 1], dtype=np.int8), np.zeros(6, dtype=int), 7, "strata")
    >>> result.exact, result.p_value
    (True, 0.1)
    """
    standardised = standardise_within(values, strata)
    labellings = count_labellings(labels, strata)
    if standardised.shape[1] == 0 or labellings == 1:
        return None
    exact = labellings <= MOST_LABELLINGS
    if exact:
        relabelled = enumerate_labellings(labels, strata)
    else:
        rng = generator(seed, "null", name)
        relabelled = np.concatenate([labels[None], draw_labellings(labels, strata, MOST_LABELLINGS - 1, rng)])
    distances = distances_between(standardised)
    blocks = [relabelled[start : start + _BLOCK] for start in range(0, len(relabelled), _BLOCK)]
    statistics = np.concatenate([energy_statistics(distances, block, strata) for block in blocks])
    observed, spread = float(statistics[0]), float(statistics.std())
    # The observed labelling is counted among them, so p is (C + 1) / (B + 1).
    p_value = exact_p(statistics, observed)
    draws, reached = len(relabelled) - 1, int(reaches(statistics[1:], observed).sum())
    interval = (p_value, p_value) if exact else _interval(reached, draws)
    z = (observed - float(statistics.mean())) / spread if spread > 0 else 0.0
    return GlobalP(z, p_value, interval, exact, len(relabelled), labellings, standardised.shape[1])


def energy_statistics(distances: Floats, labellings: Labels, strata: Indices) -> Floats:
    """Return the energy statistic of each labelling, up to a factor that all labellings share.

    Without strata it is ``2 b - w1 - w0``: mean distances between the classes and within each, over pairs of different subjects.
    With ``r`` the labels less their mean in the stratum, that is ``-r' D r`` with pairs of one class weighted by ``n / (n - 1)``.
    Written so, pairs of different strata take part too, by ``r`` alone: under relabelling they average to zero.

    Parameters
    ----------
    distances
        Subjects x subjects.
    labellings
        0/1, labellings x subjects; all have the same number of positives in each stratum.
    strata
        Stratum code of each subject.
    """
    residuals = _centre(labellings.T.astype(np.float64), strata).T
    total = -np.einsum("ij,ij->i", residuals @ distances, residuals)
    for code in np.unique(strata):
        rows = np.flatnonzero(strata == code)
        inside = distances[np.ix_(rows, rows)]
        for members in (labellings[:, rows] == 1, labellings[:, rows] == 0):
            size = int(members[0].sum())
            if size > 1:
                weight = (1 - size / len(rows)) ** 2 / (size - 1)
                total -= weight * np.einsum("ij,ij->i", members @ inside, members.astype(np.float64))
    return np.asarray(total, dtype=np.float64)


def distances_between(standardised: Floats) -> Floats:
    """Return Euclidean distances between subjects, subjects x subjects, divided by their mean."""
    products = standardised @ standardised.T
    squares = np.diagonal(products)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2.0 * products, 0.0))
    np.fill_diagonal(distances, 0.0)
    return np.asarray(distances / distances.mean(), dtype=np.float64)


def standardise_within(values: Floats, strata: Indices) -> Floats:
    """Centre each column within strata and divide it by its standard deviation there; columns that do not vary are left out."""
    centred = _centre(values, strata)
    scale = np.sqrt(np.mean(centred**2, axis=0))
    varies = scale > rounding_share(len(values)) * np.abs(values).max(axis=0, initial=0.0)
    return np.asarray(centred[:, varies] / scale[varies], dtype=np.float64)


def _centre(values: Floats, strata: Indices) -> Floats:
    centred = np.asarray(values, dtype=np.float64).copy()
    for code in np.unique(strata):
        rows = strata == code
        centred[rows] -= centred[rows].mean(axis=0)
    return centred


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.001 else f"{value:.1e}"


def _interval(count: int, draws: int) -> tuple[float, float]:
    low = float(beta.ppf(_TAIL, count, draws - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - _TAIL, count + 1, draws - count)) if count < draws else 1.0
    return low, high

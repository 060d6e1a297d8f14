r"""Relabellings that stay as associated with measured nuisances as the observed labels are.

Permuting labels within batches needs few distinct values; age, RIN or library size have as many as there are subjects. Here
labels are exchanged with probabilities that a model of the label given the measurements says: with :math:`\eta_i` the
log-odds of subject i, a labelling y is drawn with probability proportional to :math:`\exp(\sum_i y_i \eta_i)` among those with
the observed class sizes of every cell. Given the measurements, the observed labels are then one such draw if expression has
no more to say about them.

What this assumes: that the model of the label is right. It is additive and logistic in the normal scores (ranks) of each
measurement, the same slope in every cell, fitted to the same subjects and shrunk, so an association of another shape (classes
at both ends of the age range) or one much stronger than a dozen subjects can show is taken out in part only.

References
----------
Berrett TB, Wang Y, Barber RF, Samworth RJ (2020) The conditional permutation test for independence while controlling for
confounders. doi:10.1111/rssb.12340
"""

import numpy as np
from scipy.special import expit
from scipy.stats import norm, rankdata

from responder_ml.arrays import Floats, Indices, Labels

STEPS = 50
"""Rounds of exchanges between the observed labelling and the hub, and between the hub and every draw."""
# Precision of the slopes' normal prior: a standard deviation more of a measurement rarely changes the odds by more than exp(2.8).
_RIDGE = 0.5
_NEWTON_STEPS, _CONVERGED = 50, 1e-10


def normal_scores(values: Floats) -> Floats:
    """Return each column's normal scores, ``(n, m)``; missing values score zero, and a constant column is all zero.

    Ranks are used because a measurement may be on any scale: reads and log reads give the same scores.
    """
    scores = np.zeros_like(values, dtype=np.float64)
    for column in range(values.shape[1]):
        known = np.isfinite(values[:, column])
        if known.any():
            ranks = rankdata(values[known, column])
            scores[known, column] = norm.ppf((ranks - 0.5) / known.sum())
    scores -= scores.mean(axis=0)
    spread = scores.std(axis=0)
    return np.asarray(np.divide(scores, spread, out=np.zeros_like(scores), where=spread > 1e-9), dtype=np.float64)


def centred_within(values: Floats, cells: Indices) -> Floats:
    """Subtract from each column its mean within each cell; values ``(n, m)``, cells ``(n,)``."""
    centred = np.array(values, dtype=np.float64)
    for cell in np.unique(cells):
        inside = cells == cell
        centred[inside] -= centred[inside].mean(axis=0)
    return centred


def label_log_odds(measured: Floats, labels: Labels, cells: Indices) -> Floats:
    """Return each subject's log-odds of the positive class given its measurements, but for a constant per cell, ``(n,)``.

    A ridge logistic regression with an offset per cell, its class sizes; cells with one class say nothing and get zero.

    Parameters
    ----------
    measured
        Normal scores, shape ``(n, m)``.
    labels
        1 or 0 per subject.
    cells
        Code per subject; labels are exchanged within.
    """
    columns, offset, informative = centred_within(measured, cells), np.zeros(len(labels)), np.zeros(len(labels), bool)
    for cell in np.unique(cells):
        inside = cells == cell
        positive = labels[inside].mean()
        if 0 < positive < 1:
            informative |= inside
            offset[inside] = np.log(positive / (1 - positive))
    if not informative.any() or not columns.shape[1]:
        return np.zeros(len(labels))
    rows, target, base = columns[informative], labels[informative].astype(np.float64), offset[informative]
    # A column for what the offsets cannot say once there are slopes.
    design = np.column_stack([rows, np.ones(len(rows))])
    penalty = np.diag([_RIDGE] * rows.shape[1] + [1e-3])
    slopes = np.zeros(design.shape[1])
    for _ in range(_NEWTON_STEPS):
        probability = expit(design @ slopes + base)
        gradient = design.T @ (target - probability) - penalty @ slopes
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        slopes += step
        if np.abs(step).max() < _CONVERGED:
            break
    log_odds = np.zeros(len(labels))
    log_odds[informative] = rows @ slopes[:-1]
    # Of two subjects that are alike but for the label, each is counted as if it had been sampled alone: the slope fitted to
    # pairs is twice that of their differences (Breslow and Day 1980, section 7.1).
    in_pairs = np.bincount(np.unique(cells, return_inverse=True)[1]).max() == 2
    return log_odds / 2.0 if in_pairs else log_odds


def draw_conditionally(
    labels: Labels | Floats, cells: Indices, log_odds: Floats, count: int, rng: np.random.Generator
) -> Labels:
    """Return relabellings within cells drawn by their probability given the log-odds, shape ``(count, n)``, int8.

    From the observed labels a chain of pairwise exchanges leads to a hub, and from the hub an independent chain to every
    draw; each exchange leaves the distribution as it is. Observed labels and draws are therefore exchangeable, however
    few the exchanges, as long as the log-odds are right.

    Parameters
    ----------
    labels, cells
        Label and cell of each subject.
    log_odds
        Of the positive class, shape ``(n,)``; a constant per cell cancels.
    count
        Number of draws.
    rng
        Source of the random numbers.
    """
    movable = [
        inside for inside in (np.flatnonzero(cells == cell) for cell in np.unique(cells)) if np.ptp(labels[inside])
    ]
    hub = _exchange(np.asarray(labels, dtype=np.int8)[None], movable, log_odds, rng)
    return _exchange(np.repeat(hub, count, axis=0), movable, log_odds, rng)


def weigh_labellings(
    labellings: Labels | Floats, labels: Labels | Floats, log_odds: Floats | None, exact: bool
) -> tuple[Floats | None, float]:
    """Return each labelling's weight, None where all have the same, and the probability of drawing the observed one.

    Parameters
    ----------
    labellings
        All labellings, the observed one first, or draws.
    labels
        The observed labels.
    log_odds
        Of the positive class; None where all labellings are equally likely, and the probability is not needed.
    exact
        Whether these are all labellings; draws have no weights, since they come as often as they are likely.
    """
    if log_odds is None:
        return None, 0.0
    if not exact:
        return None, float((1 + (labellings == labels).all(axis=1).sum()) / (1 + len(labellings)))
    exponents = labellings @ log_odds
    weights: Floats = np.asarray(np.exp(exponents - exponents.max()), dtype=np.float64)
    return weights, float(weights[0] / weights.sum())


def _exchange(labellings: Labels, movable: list[Indices], log_odds: Floats, rng: np.random.Generator) -> Labels:
    """Pair the subjects of each cell at random, and give each pair its labels in a random order, `STEPS` times."""
    labellings = labellings.copy()
    rows = np.arange(len(labellings))[:, None]
    for _ in range(STEPS):
        for inside in movable:
            shuffled = inside[np.argsort(rng.random((len(labellings), len(inside))), axis=1)]
            half = len(inside) // 2
            first, second = shuffled[:, :half], shuffled[:, half : 2 * half]
            a, b = labellings[rows, first], labellings[rows, second]
            to_first = rng.random(first.shape) < expit(log_odds[first] - log_odds[second])
            differ = a != b
            labellings[rows, first] = np.where(differ, to_first, a)
            labellings[rows, second] = np.where(differ, ~to_first, b)
    return labellings

"""Nuisances beside a graded outcome: how closely each is associated with it, and relabellings that stay as associated.

As for two classes (`conditional`) a nuisance explains a result only along a chain: it is associated with the outcome, and the
predictions follow it. Both links are tested by relabelling; where neither is missing, only what holds among subjects alike in the
nuisances counts. Subjects are alike in categories by being of one cell. For measurements, outcomes are exchanged with the
probabilities of a model: the normal scores of the outcome are linear in those of the measurements, with normal errors and one
slope in every cell, so that a labelling is likelier the closer its outcomes are to what the measurements say.

References
----------
Berrett TB, Wang Y, Barber RF, Samworth RJ (2020) The conditional permutation test for independence while controlling for
confounders. doi:10.1111/rssb.12340
Freedman D, Lane D (1983) doi:10.1080/07350015.1983.10509354 (exchanging residuals, for the second link)
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.conditional import ASSOCIATED, FOLLOWED, LIBRARY_SIZE, Nuisance, nuisance_of
from responder_ml.evaluation.conditional_permutation import STEPS, centred_within, normal_scores
from responder_ml.evaluation.p_values import exact_p
from responder_ml.evaluation.permutation import EXACT_UP_TO
from responder_ml.evaluation.relabel import Relabelling
from responder_ml.evaluation.reorder import OUTCOMES, count_orders, draw_orders, smallest_p
from responder_ml.statistics.seeds import generator

# Relabellings of both links; their random numbers do not depend on the run's seed, since no verdict should hang on such draws.
_DRAWS, _SEED = 4_999, 0
# A column's slope is shrunk as if by one more subject without an effect.
_RIDGE = 1.0
# Residual variance of normal scores below which measurements would determine the outcome.
_LEAST_VARIANCE = 0.05


@dataclass(frozen=True)
class NuisanceAssociation:
    """The association of one nuisance with the outcome, within strata.

    Attributes
    ----------
    name
        Column of the sheet, or the library size.
    correlation
        Of the outcome's normal scores with the measurement's, or for a category the square root of the share of their variance that
        it explains (shrunk a little).
    p_value
        Two-sided, by relabelling.
    """

    name: str
    correlation: float
    p_value: float


@dataclass(frozen=True)
class GradedLinks:
    """Both links of the chain from outcome over all nuisances to predictions, as p values."""

    association_p: float
    following_p: float

    @property
    def may_explain(self) -> bool:
        """Tell whether neither link is missing."""
        return self.association_p <= ASSOCIATED and self.following_p <= FOLLOWED


def associations(labelled: LabelledCohort, outcome: Floats) -> tuple[NuisanceAssociation, ...]:
    """Return the association of each nuisance with the outcome.

    Parameters
    ----------
    labelled
        One row per subject.
    outcome
        Of each subject.
    """
    rows = []
    declared = labelled.endpoint.nuisance
    for name in (*declared, LIBRARY_SIZE):
        columns = (name,) if name in declared else ()
        endpoint = replace(labelled.endpoint, nuisance=columns, library_size=name == LIBRARY_SIZE)
        nuisance = nuisance_of(replace(labelled, endpoint=endpoint))
        if nuisance is None or (name == LIBRARY_SIZE and not labelled.endpoint.library_size):
            continue
        explained = _explained(nuisance, outcome, labelled.strata)
        share = float(np.sqrt(max(explained[0], 0.0)))
        if nuisance.measured.shape[1] == 1:
            scores = centred_within(normal_scores(outcome[:, None]), labelled.strata)[:, 0]
            share *= float(np.sign(scores @ nuisance.measured[:, 0])) or 1.0
        rows.append(NuisanceAssociation(name, share, exact_p(explained, float(explained[0]))))
    return tuple(rows)


def measure_graded_links(nuisance: Nuisance, outcome: Floats, strata: Indices, predictions: Floats) -> GradedLinks:
    """Test both links.

    Parameters
    ----------
    nuisance
        One row per subject.
    outcome, strata
        Of each subject.
    predictions
        Mean out-of-fold predictions.
    """
    explained = _explained(nuisance, outcome, strata)
    scores = centred_within(normal_scores(outcome[:, None]), strata)
    columns = centred_within(nuisance.columns, strata)
    said = columns @ np.linalg.solve(columns.T @ columns + _RIDGE * np.eye(columns.shape[1]), columns.T @ scores)
    # What neither the nuisances nor the predictions share with the outcome itself.
    both = centred_within(np.column_stack([said, normal_scores(predictions[:, None])]), strata)
    size = float(np.sum(scores**2))
    both -= scores @ (scores.T @ both) / size if size > 0 else 0.0
    drawn = draw_orders(both[:, 1], strata, _DRAWS, generator(_SEED, "nuisance and predictions"))
    products = np.concatenate([both[None, :, 1], drawn]) @ both[:, 0]
    scale = float(np.linalg.norm(both[:, 0]) * np.linalg.norm(both[:, 1])) or 1.0
    return GradedLinks(exact_p(explained, float(explained[0])), exact_p(products / scale, float(products[0] / scale)))


def alike_in(nuisance: Nuisance, outcome: Floats) -> Relabelling:
    """Return how outcomes are exchanged between subjects alike in the nuisances; cells go in place of strata."""
    if not nuisance.measured.shape[1]:
        return OUTCOMES

    def draw(values: Floats, cells: Indices, count: int, rng: np.random.Generator) -> Floats:
        return draw_orders_given(values, cells, nuisance.measured, count, rng)

    # Orders are not equally likely, so they are never enumerated.
    return Relabelling(
        lambda values, cells: max(count_orders(values, cells), EXACT_UP_TO + 1), smallest_p, OUTCOMES.enumerate, draw
    )


def draw_orders_given(
    outcome: Floats, cells: Indices, measured: Floats, count: int, rng: np.random.Generator
) -> Floats:
    """Return the outcome in orders within cells drawn by their probability given measurements, shape ``(count, n)``.

    From the observed order a chain of pairwise exchanges leads to a hub, and from the hub an independent chain to every draw, as in
    `conditional_permutation.draw_conditionally`.

    Parameters
    ----------
    outcome, cells
        Of each subject.
    measured
        Normal scores of the measurements, subjects x measurements.
    count, rng
        Number of draws, and the source of random numbers.
    """
    scores = normal_scores(outcome[:, None])[:, 0]
    columns, centred = centred_within(measured, cells), centred_within(scores[:, None], cells)[:, 0]
    slopes = np.linalg.solve(columns.T @ columns + _RIDGE * np.eye(columns.shape[1]), columns.T @ centred)
    fitted = columns @ slopes
    variance = max(float(np.mean((centred - fitted) ** 2)), _LEAST_VARIANCE)
    movable = [rows for rows in (np.flatnonzero(cells == cell) for cell in np.unique(cells)) if len(rows) > 1]
    hub = _exchange(np.arange(len(outcome))[None], movable, scores, fitted / variance, rng)
    return np.asarray(outcome[_exchange(np.repeat(hub, count, axis=0), movable, scores, fitted / variance, rng)])


def _exchange(
    orders: Indices, movable: list[Indices], scores: Floats, pull: Floats, rng: np.random.Generator
) -> Indices:
    """Pair the subjects of each cell at random, and give each pair its values in a random order, `STEPS` times."""
    orders, rows = orders.copy(), np.arange(len(orders))[:, None]
    for _ in range(STEPS):
        for inside in movable:
            shuffled = inside[np.argsort(rng.random((len(orders), len(inside))), axis=1)]
            half = len(inside) // 2
            first, second = shuffled[:, :half], shuffled[:, half : 2 * half]
            a, b = orders[rows, first], orders[rows, second]
            keeps = rng.random(first.shape) < expit((pull[first] - pull[second]) * (scores[a] - scores[b]))
            orders[rows, first], orders[rows, second] = np.where(keeps, a, b), np.where(keeps, b, a)
    return orders


def _explained(nuisance: Nuisance, outcome: Floats, strata: Indices) -> Floats:
    """Return the share of the variance of the outcome's normal scores that nuisances explain, observed first, then relabelled."""
    scores = normal_scores(outcome[:, None])[:, 0]
    columns = centred_within(nuisance.columns, strata)
    precision = np.linalg.inv(columns.T @ columns + _RIDGE * np.eye(columns.shape[1]))
    drawn = draw_orders(scores, strata, _DRAWS, generator(_SEED, "nuisance and outcome"))
    orders = centred_within(np.concatenate([scores[None], drawn]).T, strata).T
    sums = orders @ columns
    size = float(np.sum(orders[0] ** 2)) or 1.0
    return np.asarray(np.einsum("lk,kj,lj->l", sums, precision, sums) / size, dtype=np.float64)

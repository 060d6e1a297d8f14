"""The null: the whole procedure re-run on relabelled subjects, and its p value.

The procedure, stratified splitting included, is a deterministic function of the labels and one seed. The observed
labelling and every relabelling go through it alike, over the same repeats, so under the null hypothesis all its values are
exchangeable. The null hypothesis: within strata, labels are unrelated to expression. The conditional null asks the same
within strata and batch: is anything left beyond batch?

p is exact where all labellings are run. Otherwise it is a Monte Carlo p, ``(C + 1) / (l + 1)`` with C the number of l random
relabellings that reached the observed value. They are drawn in a fixed order until it is settled on which side of alpha p
lies (`sequential`), or until the budget ends: then the test is undecided. p is evidence where it is settled and at most
alpha. Stopping because a running p looks small would not be valid and is not offered.

References
----------
Ojala M, Garriga GC (2010) Permutation tests for studying classifier performance. JMLR 11:1833-1863.
Phipson B, Smyth GK (2010) Permutation p-values should never be zero. doi:10.2202/1544-6115.1585
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.evaluation.conditional_permutation import draw_conditionally, weigh_labellings
from responder_ml.evaluation.p_values import exact_p, monte_carlo_p, reaches
from responder_ml.evaluation.relabel import CLASSES, Relabelling
from responder_ml.evaluation.separation import AUTO_AUROC, Standard
from responder_ml.evaluation.sequential import (
    confidence_interval,
    draws_needed,
    excludes,
    expected_stop,
    fewest_draws,
    stops_at,
)
from responder_ml.progress import OnProgress
from responder_ml.statistics.seeds import generator

Statistic = Callable[[Sequence[Any]], Iterable[Floats]]
"""A procedure as a function of labels, or of outcomes: yields what `separation.measure` returns for several, one row each, block by
block and in order."""
Permutations = int | Literal["auto"]
"""A budget of relabellings, 0 for none, or what the number of labellings asks for."""

EXACT_UP_TO, BUDGET = 2_000, 5_000
"""With ``auto``: labellings up to which all are run, and the most relabellings drawn where they are more."""
REFERENCE_DRAWS = 40
"""Random relabellings that standardise the separations where not all labellings are run."""
LEAST_DRAWS = 99
"""Relabellings drawn before p can be settled, so that mean and spread of the null rest on enough."""


@dataclass(frozen=True)
class NullPlan:
    """How a null is run.

    Attributes
    ----------
    permutations
        Most relabellings, 0 for none; all labellings are run if they are no more than this. ``auto``: all of up to 2,000,
        otherwise at most 5,000.
    alpha
        Significance level.
    seed
        The run's seed.
    family
        Tests that are corrected together: relabellings are drawn until p is above alpha, or below alpha over their number.
    least
        Relabellings before which none of this stops.
    """

    permutations: Permutations
    alpha: float
    seed: int
    family: int = 1
    least: int = LEAST_DRAWS

    @property
    def budget(self) -> int:
        """The most random relabellings."""
        return BUDGET if self.permutations == "auto" else self.permutations


@dataclass(frozen=True)
class NullResult:
    """A null distribution, and the p of the observed labels in it.

    Attributes
    ----------
    observed
        Test statistic of the observed labels.
    values
        Statistic of each relabelling, in order; when exact, of every labelling, the observed one first.
    aurocs
        AUROC of auto for the same labellings.
    leading
        Which separation of the observed labels is the largest: 0 for auto, then the candidates in their order.
    p_value, p_interval
        One-sided p, and where infinitely many relabellings would put it: the confidence sequence, or p twice when exact.
    exact
        Whether all labellings were run.
    settled
        Whether it is known on which side of alpha p lies.
    stopped_early
        Whether drawing ended before the budget, because it was settled.
    labellings
        Number of distinct labellings.
    min_attainable_p
        The smallest p this null could have given.
    smallest_exact
        The smallest p that all labellings could give; 0 where they were run, or are not equally likely.
    needed
        Estimate of the relabellings after which it would be settled; None where it is, or where none can be given.
    turned_by_one
        Whether p is exact and one labelling more, or fewer, at the observed value would put it on the other side of alpha;
        a labelling and its mirror image, which always reach a value together, count as one.
    observed_share
        Probability of drawing the observed labels themselves, where labellings are not equally likely: no p is smaller.
    """

    observed: float
    values: Floats
    p_value: float
    p_interval: tuple[float, float]
    exact: bool
    settled: bool
    stopped_early: bool
    labellings: int
    min_attainable_p: float
    needed: int | None = None
    turned_by_one: bool = False
    observed_share: float = 0.0
    smallest_exact: float = 0.0
    aurocs: Floats = field(default_factory=lambda: np.empty(0))
    leading: int = 0

    @property
    def mean(self) -> float:
        """Mean AUROC of relabelled subjects; one half is not assumed."""
        return float(self.aurocs.mean())

    @property
    def sd(self) -> float:
        """Standard deviation of the AUROC of relabelled subjects."""
        return float(self.aurocs.std(ddof=1)) if len(self.aurocs) > 1 else 0.0

    def rejected(self, alpha: float) -> bool:
        """Return whether the null hypothesis is rejected: p is settled and at most alpha."""
        return self.settled and self.p_value <= alpha

    def critical_auroc(self, alpha: float) -> float:
        """Return the smallest AUROC that at most a share alpha of relabelled subjects reaches; infinite where none is.

        Examples
        --------
        Of 19 relabellings none may reach a value with p <= 0.05, so it must exceed the largest, if barely; one may at p <= 0.1.

        >>> aurocs = np.arange(19.0) / 20
        >>> null = NullResult(0.5, aurocs, 0.5, (0.5, 0.5), False, True, False, 1000, 0.05, aurocs=aurocs)
        >>> [round(null.critical_auroc(alpha), 6) for alpha in (0.05, 0.1)]
        [0.9, 0.85]
        """
        others = np.sort(self.aurocs[1:] if self.exact else self.aurocs)[::-1]
        # The observed labelling counts among those at or above its own value.
        allowed = int(np.floor(alpha * (len(others) + 1) + 1e-9)) - 1
        if allowed < 0:
            return float("inf")
        return float(np.nextafter(others[allowed], np.inf)) if allowed < len(others) else float("-inf")


def run_null(
    statistic: Statistic,
    labels: Labels | Floats,
    strata: Indices,
    observed: Floats,
    plan: NullPlan,
    name: str,
    on_progress: OnProgress | None = None,
    log_odds: Floats | None = None,
    relabelling: Relabelling = CLASSES,
) -> NullResult:
    """Relabel subjects within strata, and count how often the procedure does as well as on the observed labels.

    Parameters
    ----------
    statistic
        The procedure; its blocks are computed one after the other, and none after the null has stopped.
    labels, strata
        Label and stratum of each subject.
    observed
        What the procedure measures on ``labels``.
    plan
        How many relabellings, and what is to be settled.
    name, on_progress
        Names the random numbers; is called after each block with the running p.
    log_odds
        Of the positive class for each subject, where measured nuisances make some labellings likelier (`conditional_permutation`).
    relabelling
        How labels are exchanged; `reorder.OUTCOMES` where they are graded outcomes.
    """
    exact = is_exact(labels, strata, plan.permutations, relabelling)
    smallest, count = min_attainable_p(labels, strata, plan, relabelling), relabelling.count(labels, strata)
    rng = generator(plan.seed, "null", name)
    if exact:
        relabelled = relabelling.enumerate(labels, strata)
        weights, _ = weigh_labellings(relabelled, labels, log_odds, exact)
        measured = _run_all(statistic, relabelled, on_progress)
        return exact_null(measured, observed, plan.alpha, smallest, weights)
    # Drawn without regard to which labelling is the observed one, so that the statistic is one function of the labels and the
    # Monte Carlo p stays valid; these take no further part.
    reference = relabelling.draw(labels, strata, REFERENCE_DRAWS, generator(plan.seed, "reference", name))
    standard = Standard.of(_run_all(statistic, reference, None))
    if log_odds is None:
        relabelled = relabelling.draw(labels, strata, plan.budget, rng)
    else:
        relabelled = draw_conditionally(labels, strata, log_odds, plan.budget, rng)
    _, observed_share = weigh_labellings(relabelled, labels, log_odds, exact)
    measured, end = np.empty((0, len(observed))), None
    reached = float(standard.soft_maximum(observed))
    for block in statistic(list(relabelled)):
        measured = np.concatenate([measured, block])
        values = standard.soft_maximum(measured)
        at_or_above = reaches(values, reached)
        if on_progress is not None:
            expected = expected_draws(plan, int(np.count_nonzero(at_or_above)), len(values))
            on_progress(len(values), expected, f"p = {monte_carlo_p(values, reached):.3f} so far")
        end = stops_at(at_or_above, plan.alpha, plan.family, plan.least)
        if end is not None:
            break
    measured = measured[:end]
    values = standard.soft_maximum(measured)
    exceedances, draws = int(np.count_nonzero(reaches(values, reached))), len(values)
    settled = bool(excludes(exceedances, draws, plan.alpha))
    return NullResult(
        observed=reached,
        values=values,
        p_value=monte_carlo_p(values, reached),
        p_interval=confidence_interval(exceedances, draws),
        exact=False,
        settled=settled,
        stopped_early=draws < plan.budget,
        labellings=count,
        min_attainable_p=smallest,
        needed=None if settled else _needed(exceedances, draws, plan.alpha, count),
        observed_share=observed_share,
        smallest_exact=relabelling.smallest_p(labels, strata) if log_odds is None else 0.0,
        aurocs=measured[:, AUTO_AUROC],
        leading=standard.leading(observed),
    )


def _run_all(statistic: Statistic, labellings: Labels | Floats, on_progress: OnProgress | None) -> Floats:
    """Return the measurements of every labelling, one row each."""
    blocks: list[Floats] = []
    finished = 0
    for block in statistic(list(labellings)):
        blocks.append(block)
        finished += len(block)
        if on_progress is not None:
            on_progress(finished, len(labellings), "")
    return np.concatenate(blocks)


def exact_null(
    measured: Floats, observed: Floats, alpha: float, smallest: float, weights: Floats | None = None
) -> NullResult:
    """Return the null of which all labellings were run, the observed one first.

    Parameters
    ----------
    measured, observed
        What the procedure measured on every labelling and on the observed one; all of them standardise the separations.
    alpha
        Significance level.
    weights
        As for `exact_p`.
    smallest
        The smallest p it could have given, were all labellings equally likely.
    """
    standard = Standard.of(measured)
    values, reached = standard.soft_maximum(measured), float(standard.soft_maximum(observed))
    facts: dict[str, Any] = {"aurocs": measured[:, AUTO_AUROC], "leading": standard.leading(observed)}
    if weights is not None:
        p, share = exact_p(values, reached, weights), float(weights[0] / weights.sum())
        return NullResult(
            reached, values, p, (p, p), True, True, False, len(values), share, observed_share=share, **facts
        )
    p, total = exact_p(values, reached), len(values)
    at_or_above, allowed = round(p * total), int(np.floor(alpha * total + 1e-9))
    # Where classes can be exchanged as a whole, a labelling and its mirror image reach a value together.
    together = round(smallest * total)
    nearest = allowed - together < at_or_above <= allowed + together
    by_one = nearest and (at_or_above <= allowed or at_or_above > together)
    return NullResult(reached, values, p, (p, p), True, True, False, total, smallest, turned_by_one=by_one, **facts)


def is_exact(
    labels: Labels | Floats, strata: Indices, permutations: Permutations, relabelling: Relabelling = CLASSES
) -> bool:
    """Return whether all labellings within strata will be run."""
    return relabelling.count(labels, strata) <= _exact_up_to(permutations)


def min_attainable_p(
    labels: Labels | Floats, strata: Indices, plan: NullPlan, relabelling: Relabelling = CLASSES
) -> float:
    """Return the smallest p that a null within strata can give.

    Random relabellings stop when none of the first few hundred has reached the observed statistic: p is one over one more
    than their number.
    """
    if is_exact(labels, strata, plan.permutations, relabelling):
        return relabelling.smallest_p(labels, strata)
    return 1.0 / (min(plan.budget, max(plan.least, fewest_draws(plan.alpha / plan.family))) + 1)


def expected_draws(plan: NullPlan, exceedances: int = 0, draws: int = 0) -> int:
    """Return how many relabellings a null will draw in all, if they go on to reach the statistic as often as so far."""
    stop = expected_stop(exceedances, draws, plan.alpha, plan.family, plan.least)
    return plan.budget if stop is None else min(plan.budget, stop)


def relabellings_short(labels: Labels, strata: Indices, plan: NullPlan) -> int | None:
    """Return the fewest relabellings with which p can be settled below alpha, where a plan asks for fewer; None elsewhere."""
    count = CLASSES.count(labels, strata)
    if plan.permutations == 0 or count <= _exact_up_to(plan.permutations):
        return None
    fewest = min(count, fewest_draws(plan.alpha))
    return fewest if plan.budget < fewest else None


def _exact_up_to(permutations: Permutations) -> int:
    """Return the number of labellings up to which all are run; a single one is always."""
    return EXACT_UP_TO if permutations == "auto" else max(permutations, 1)


def _needed(exceedances: int, draws: int, alpha: float, labellings: int) -> int | None:
    """Estimate the relabellings after which p is settled; with as many as there are labellings it is exact."""
    drawn = draws_needed(exceedances, draws, alpha)
    if labellings <= (drawn or 10 * BUDGET):
        return labellings
    return drawn

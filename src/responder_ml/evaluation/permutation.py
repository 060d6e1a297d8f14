"""The null: the whole procedure re-run on relabelled subjects.

The procedure, stratified splitting included, is a deterministic function of the labels and one seed; the observed labelling and
every relabelling go through it alike, so under the null hypothesis all its values are exchangeable whatever they average. The
null hypothesis: within strata, labels have nothing to do with expression. The conditional null asks the same within strata and
batch, that is, whether anything is left beyond batch.

References
----------
Ojala M, Garriga GC (2010) Permutation tests for studying classifier performance. JMLR 11:1833-1863.
Besag J, Clifford P (1991) Sequential Monte Carlo p-values. doi:10.1093/biomet/78.2.301
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.evaluation.montecarlo import besag_clifford, exact_p
from responder_ml.evaluation.relabel import count_labellings, draw_labellings, enumerate_labellings
from responder_ml.statistics.seeds import generator

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Statistic = Callable[[Sequence[Labels]], Iterable[Floats]]
Done = Callable[[int, int, str], None]


@dataclass(frozen=True)
class NullPlan:
    """How a null is run.

    Attributes
    ----------
    permutations
        Most relabellings; 0 runs none. All labellings are enumerated if they are no more than this.
    repeats
        Repeats of the outer folds that make up the test statistic, for the observed labels and relabelled ones alike.
    stop_after
        Stop once so many relabellings have done at least as well as the observed labels.
    alpha
        Level of the test.
    seed
        The run's seed.
    """

    permutations: int
    repeats: int
    stop_after: int
    alpha: float
    seed: int


@dataclass(frozen=True)
class NullResult:
    """A null and where the observed labels stand in it.

    Attributes
    ----------
    observed
        Test statistic of the observed labels.
    values
        Of each relabelling, in order; when exact, of every labelling, the observed one first.
    p_value, p_interval
        One-sided p, and the 95 % interval of its Monte Carlo error (both ends equal to p when exact).
    exact, stopped_early
        Whether all labellings were enumerated; whether the stopping rule ended it.
    labellings
        Number of distinct labellings.
    min_attainable_p
        The smallest p this null could have given.
    """

    observed: float
    values: Floats
    p_value: float
    p_interval: tuple[float, float]
    exact: bool
    stopped_early: bool
    labellings: int
    min_attainable_p: float

    @property
    def mean(self) -> float:
        """Mean of the null; one half is not assumed."""
        return float(self.values.mean())

    @property
    def sd(self) -> float:
        """Standard deviation of the null."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else 0.0


def is_exact(labels: Labels, strata: NDArray[np.intp], permutations: int) -> bool:
    """Tell whether all labellings within strata will be enumerated."""
    return count_labellings(labels, strata) <= max(permutations, 1)


def min_attainable_p(labels: Labels, strata: NDArray[np.intp], permutations: int) -> float:
    """Return the smallest p a null of so many relabellings within strata can give."""
    count = count_labellings(labels, strata)
    return 1.0 / count if count <= max(permutations, 1) else 1.0 / (permutations + 1)


def run_null(
    statistic: Statistic,
    labels: Labels,
    strata: NDArray[np.intp],
    observed: float,
    plan: NullPlan,
    name: str,
    done: Done | None = None,
) -> NullResult:
    """Relabel subjects within strata and see how often the procedure does as well as on the observed labels.

    Parameters
    ----------
    statistic
        The procedure: blocks of values of several labellings, in order, worked out as they are asked for.
    labels, strata
        Label and stratum of each subject.
    observed
        The procedure's value on ``labels``.
    plan
        How many, and when to stop.
    name
        Names the random numbers.
    done
        Told about progress, with the running p.
    """
    exact = is_exact(labels, strata, plan.permutations)
    if exact:
        relabelled = enumerate_labellings(labels, strata)
    else:
        rng = generator(plan.seed, "null", name)
        relabelled = draw_labellings(labels, strata, plan.permutations, rng)
    values = np.empty(0)
    for block in statistic(list(relabelled)):
        values = np.concatenate([values, block])
        running = besag_clifford(values, observed, plan.stop_after, len(relabelled))
        if done is not None:
            so_far = exact_p(values, observed) if exact else running.p_value
            done(len(values), len(relabelled), f"p = {so_far:.3f}")
        if running.stopped_early and not exact:
            break
    count, smallest = count_labellings(labels, strata), min_attainable_p(labels, strata, plan.permutations)
    if exact:
        p = exact_p(values, observed)
        return NullResult(observed, values, p, (p, p), True, False, count, smallest)
    found = besag_clifford(values, observed, plan.stop_after, len(relabelled))
    used = values[: found.draws]
    return NullResult(observed, used, found.p_value, found.interval, False, found.stopped_early, count, smallest)

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

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.evaluation.montecarlo import SequentialTest
from responder_ml.evaluation.relabel import count_labellings, exact_p, relabellings
from responder_ml.statistics.seeds import generator

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Statistic = Callable[[Sequence[Labels]], Floats]
Done = Callable[[int, int, str], None]

# Relabellings between two looks at the running count; a multiple of what one unit of work holds on a few cores.
_BETWEEN_LOOKS = 48


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
        Of each relabelling, in order; when exact, of every labelling but the observed one.
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
        """Mean of the null, the observed labelling among all when exact; one half is not assumed."""
        return float(self._all().mean())

    @property
    def sd(self) -> float:
        """Standard deviation of the null."""
        return float(self._all().std(ddof=1)) if len(self._all()) > 1 else 0.0

    def _all(self) -> Floats:
        return np.append(self.values, self.observed) if self.exact else self.values


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
        The procedure: values of several labellings.
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
    rng = generator(plan.seed, "null", name)
    relabelled = relabellings(labels, strata, limit=max(plan.permutations, 1), rng=rng, count=plan.permutations)
    others = relabelled.labels[1:] if relabelled.exact else relabelled.labels
    test = SequentialTest(observed, enough=plan.stop_after, most=max(len(others), 1))
    values = np.empty(0)
    for start in range(0, len(others), _BETWEEN_LOOKS):
        block = statistic(list(others[start : start + _BETWEEN_LOOKS]))
        values = np.concatenate([values, block])
        test.add(block)
        if done is not None:
            done(len(values), len(others), f"p = {test.result().p_value:.3f}")
        if test.finished and not relabelled.exact:
            break
    smallest = min_attainable_p(labels, strata, plan.permutations)
    if relabelled.exact:
        p = exact_p(values, observed)
        return NullResult(observed, values, p, (p, p), True, False, relabelled.labellings, smallest)
    found = test.result()
    return NullResult(
        observed,
        values[: found.draws],
        found.p_value,
        found.interval,
        False,
        found.stopped,
        relabelled.labellings,
        smallest,
    )

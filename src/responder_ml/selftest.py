"""Self-test: a job's own procedure on data that hold no effect, to see whether it finds one.

Two kinds of such data. *Relabelled*: the cohort's own expression with labels permuted within strata. *Noise*: every gene's
values permuted over the samples, each gene on its own, under the job's labels; a gene keeps its distribution (counts stay
counts), and all else is broken. Every cohort goes through the search and the null as in ``train``, with folds of its own.

A procedure that sees the labels of held-out subjects has a mean AUROC above one half. Its p stays valid if the relabellings
of the null leak alike, so both are looked at. A leak that was in the data before they came here, such as a gene set
chosen on these subjects' labels, is one that no self-test can see.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from scipy.stats import beta, binom
from scipy.stats import t as student

from responder_ml.arrays import Floats
from responder_ml.build import build_workers
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.config import JobConfig
from responder_ml.errors import ConfigError
from responder_ml.evaluation.metrics import auroc, statistic_of
from responder_ml.evaluation.permutation import NullPlan, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.progress import Progress
from responder_ml.records.files import write_text
from responder_ml.search.candidate import Candidate
from responder_ml.search.nested import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.selftest_size import SelfTestSize
from responder_ml.statistics.seeds import generator, integer_seed
from responder_ml.train import prepare

Kind = Literal["relabelled", "noise"]

# Each of the four checks calls an honest procedure leaking with this probability at most.
_FALSE_ALARM = 0.01
# Relabellings that do as well before a null stops: enough that an early stop is never a small p at the usual levels.
_STOP_AFTER = 5
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Challenge:
    """The procedure on cohorts of one kind.

    Attributes
    ----------
    kind
        ``relabelled`` or ``noise``.
    aurocs
        Headline of each cohort.
    p_values
        Its p.
    alpha
        Level of the test.
    """

    kind: Kind
    aurocs: Floats
    p_values: Floats
    alpha: float

    @property
    def mean(self) -> float:
        """Mean headline."""
        return float(self.aurocs.mean())

    @property
    def band(self) -> tuple[float, float]:
        """Where the mean of an honest procedure lies: one half and as much to either side as the spread allows."""
        size = len(self.aurocs)
        half = float(student.isf(_FALSE_ALARM, size - 1)) * float(self.aurocs.std(ddof=1)) / sqrt(size)
        return 0.5 - half, 0.5 + half

    @property
    def small(self) -> int:
        """Cohorts with p at most alpha."""
        return int(np.count_nonzero(self.p_values <= self.alpha))

    @property
    def small_interval(self) -> tuple[float, float]:
        """The 95 % interval (Clopper-Pearson) of the share of such cohorts."""
        count, size = self.small, len(self.p_values)
        low = float(beta.ppf(0.025, count, size - count + 1)) if count else 0.0
        return low, float(beta.ppf(0.975, count + 1, size - count)) if count < size else 1.0

    @property
    def most_small(self) -> int:
        """The most such cohorts an honest procedure has, but for the rate of false alarms."""
        return int(binom.isf(_FALSE_ALARM, len(self.p_values), self.alpha))

    @property
    def auroc_leaks(self) -> bool:
        """Whether the mean headline is above its band."""
        return self.mean > self.band[1] + _ROUNDING

    @property
    def p_leaks(self) -> bool:
        """Whether too many p are small."""
        return self.small > self.most_small


@dataclass(frozen=True)
class SelfTest:
    """What a self-test found."""

    name: str
    seed: int
    effort: SelfTestSize
    challenges: tuple[Challenge, ...]

    @property
    def leaks(self) -> bool:
        """Whether any check failed."""
        return any(each.auroc_leaks or each.p_leaks for each in self.challenges)

    @property
    def sentence(self) -> str:
        """The conclusion."""
        reasons = [reason for each in self.challenges for reason in _reasons(each)]
        if reasons:
            return f"The procedure leaks: {'; '.join(reasons)}. Do not trust its results on real labels."
        below = " and ".join(each.kind for each in self.challenges if each.mean < each.band[0] - _ROUNDING)
        if below:
            return (
                f"No leak found, but the mean AUROC of {below} cohorts is below what chance explains: without effect the "
                "procedure does worse than a coin, as unbalanced strata or tiny folds can bring about. p stays valid, since "
                "the null does the same; the AUROC understates."
            )
        bounds = " and ".join(f"{each.band[1]:.2f} ({each.kind})" for each in self.challenges)
        return (
            f"No leak found. A mean AUROC above {bounds} would have been called one, so a smaller leak can have gone "
            "unseen; more cohorts see smaller ones."
        )


def selftest(job: JobConfig, effort: SelfTestSize | None = None, progress: Progress | None = None) -> SelfTest:
    """Run a job's procedure on relabelled subjects and on noise.

    Parameters
    ----------
    job
        Configuration; its cohort, builders, classifiers, folds and trials are used as they are.
    effort
        How many cohorts, relabellings and repeats.
    progress
        Is told about long work.

    Raises
    ------
    ResponderError
        Anything the user can mend.
    """
    effort, progress = effort or SelfTestSize(), progress or Progress()
    _check_resolution(effort, job.null.alpha)
    prepared = prepare(job)
    repeats = min(effort.repeats, job.search.repeats)
    null = NullPlan(effort.permutations, repeats, _STOP_AFTER, job.null.alpha, job.seed)
    challenges = []
    for kind in get_args(Kind):
        run = partial(_run_cohort, prepared.labelled, prepared.feasible.candidates, prepared.feasible.plan, null, kind)
        found: list[tuple[float, float]] = []
        with progress.stage(f"Cohorts without effect ({kind})") as on_progress:
            for pair in build_workers(job.compute).map(run, range(effort.cohorts)):
                found.append(pair)
                on_progress(len(found), effort.cohorts, f"mean AUROC {np.mean([value for value, _ in found]):.2f}")
        aurocs, p_values = np.array(found).T
        challenges.append(Challenge(kind, aurocs, p_values, job.null.alpha))
    return SelfTest(job.name, job.seed, replace(effort, repeats=repeats), tuple(challenges))


def shuffle_genes(expression: Floats, rng: np.random.Generator) -> Floats:
    """Permute each gene's values (columns) over the samples, independently of the other genes."""
    return rng.permuted(expression, axis=0)


def write_selftest(found: SelfTest, path: Path) -> None:
    """Write everything as JSON.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    write_text(path, json.dumps(_record(found), indent=2, allow_nan=False) + "\n")


def _run_cohort(
    labelled: LabelledCohort,
    candidates: tuple[Candidate, ...],
    plan: SearchPlan,
    null: NullPlan,
    kind: Kind,
    number: int,
) -> tuple[float, float]:
    """Return the headline and p of one cohort without effect, from the same steps as in ``train``."""
    seed = integer_seed(null.seed, "selftest", kind, number)
    rng = generator(seed, "cohort")
    search_data, labels = SearchData.of(labelled), labelled.labels
    if kind == "relabelled":
        labels = draw_labellings(labels, labelled.strata, 1, rng)[0]
    else:
        search_data = replace(search_data, expression=shuffle_genes(search_data.expression, rng))
    # Folds come from the seed, too: with one for all cohorts, its luck would be in every one of them.
    procedure = Procedure(search_data, candidates, replace(plan, seed=seed), Workers(1))
    observed = procedure.observe(labels, null.repeats).auto
    statistic: Callable[..., Any] = partial(procedure.statistics, repeats=null.repeats)
    found = run_null(
        statistic, labels, search_data.strata, statistic_of(observed), replace(null, seed=seed), "selftest"
    )
    return auroc(observed), found.p_value


def _check_resolution(effort: SelfTestSize, alpha: float) -> None:
    if 1 / (effort.permutations + 1) > alpha:
        raise ConfigError(
            f"With {effort.permutations} relabellings no p can reach {alpha:g}. A self-test at that level needs at least "
            f"{int(np.ceil(1 / alpha)) - 1}."
        )


def _reasons(found: Challenge) -> list[str]:
    reasons = []
    if found.auroc_leaks:
        reasons.append(
            f"the mean AUROC of {len(found.aurocs)} {found.kind} cohorts is {found.mean:.2f}, but at most "
            f"{found.band[1]:.2f} is expected without any effect"
        )
    if found.p_leaks:
        reasons.append(
            f"p is at most {found.alpha:g} in {found.small} of {len(found.p_values)} {found.kind} cohorts, but at most "
            f"{found.most_small} are expected"
        )
    return reasons


def _record(found: SelfTest) -> dict[str, Any]:
    return {
        "name": found.name,
        "seed": found.seed,
        "effort": vars(found.effort),
        "challenges": [
            {
                "kind": each.kind,
                "auroc_mean": each.mean,
                "auroc_band": each.band,
                "alpha": each.alpha,
                "p_small": each.small,
                "p_small_expected_at_most": each.most_small,
                "p_small_share_interval": each.small_interval,
                "leaks": each.auroc_leaks or each.p_leaks,
                "aurocs": each.aurocs.tolist(),
                "p_values": each.p_values.tolist(),
            }
            for each in found.challenges
        ],
        "leaks": found.leaks,
        "sentence": found.sentence,
    }

"""Self-test: a job's own procedure on data that hold no effect, to see whether it finds one.

There are two kinds of such negative controls. *Relabelled*: the cohort's own expression with labels permuted within strata.
*Noise*: each gene's values permuted over the samples, independently of the other genes, with the job's labels; a gene keeps
its distribution (counts stay counts), and nothing else remains. Every cohort goes through the search and the null as in
``train``, with folds of its own.

A procedure that sees the labels of held-out subjects has a mean AUROC above one half. Its p stays valid if the relabellings
of the null leak in the same way, so both are checked. No self-test can detect a leak that was in the data before, such as a
gene set chosen on these subjects' labels.
"""

import json
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from scipy.stats import beta, binom
from scipy.stats import t as student

from responder_ml.arrays import Floats, Indices
from responder_ml.build import build_workers, prepare_job
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.config import JobConfig
from responder_ml.errors import ConfigError
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.permutation import NullPlan, expected_draws, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.progress import Progress, WorkPlan
from responder_ml.records.files import named_folder, write_text
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.unit_store import UnitStore
from responder_ml.search.workers import Workers
from responder_ml.selftest_seeds import SeedVerdict, judge_seeds, seed_costs
from responder_ml.selftest_size import SelfTestSize
from responder_ml.statistics.seeds import generator, integer_seed

Kind = Literal["relabelled", "noise"]

# Each of the four checks raises a false alarm with this probability at most.
_FALSE_ALARM = 0.01
_ROUNDING = 1e-9


@dataclass(frozen=True)
class NegativeControl:
    """Results of the procedure on cohorts of one kind.

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
        """Range of the mean without a leak: one half, and as much to either side as the spread allows."""
        n = len(self.aurocs)
        half = float(student.isf(_FALSE_ALARM, n - 1)) * float(self.aurocs.std(ddof=1)) / sqrt(n)
        return 0.5 - half, 0.5 + half

    @property
    def small(self) -> int:
        """Cohorts with p at most alpha."""
        return int(np.count_nonzero(self.p_values <= self.alpha))

    @property
    def small_interval(self) -> tuple[float, float]:
        """The 95 % interval (Clopper-Pearson) of the share of such cohorts."""
        count, n = self.small, len(self.p_values)
        low = float(beta.ppf(0.025, count, n - count + 1)) if count else 0.0
        return low, float(beta.ppf(0.975, count + 1, n - count)) if count < n else 1.0

    @property
    def most_small(self) -> int:
        """The most such cohorts that a procedure without a leak has, apart from false alarms."""
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
    """The result of a self-test.

    Attributes
    ----------
    name, seed
        Of the job.
    size
        Cohorts and relabellings that were run.
    controls
        Relabelled cohorts, then noise.
    seeds
        What the job itself shows under several seeds, where that was asked for.
    """

    name: str
    seed: int
    size: SelfTestSize
    controls: tuple[NegativeControl, ...]
    seeds: tuple[SeedVerdict, ...] = ()

    @property
    def leaks(self) -> bool:
        """Whether any check failed."""
        return any(control.auroc_leaks or control.p_leaks for control in self.controls)

    @property
    def sentence(self) -> str:
        """The conclusion."""
        reasons = [reason for control in self.controls for reason in _reasons(control)]
        if reasons:
            return f"The procedure leaks: {'; '.join(reasons)}. Do not trust its results on real labels."
        below = " and ".join(control.kind for control in self.controls if control.mean < control.band[0] - _ROUNDING)
        if below:
            return (
                f"No leak found, but the mean AUROC of {below} cohorts is below what chance explains: without effect the "
                "procedure does worse than guessing, which unbalanced strata or tiny folds can cause. p stays valid, since "
                "the null does the same; the AUROC is an underestimate."
            )
        bounds = " and ".join(f"{control.band[1]:.2f} ({control.kind})" for control in self.controls)
        return (
            f"No leak found. Only a mean AUROC above {bounds} counts as a leak, so a smaller leak can have gone undetected; "
            "more cohorts detect smaller ones."
        )


def selftest(
    job: JobConfig,
    size: SelfTestSize | None = None,
    progress: Progress | None = None,
    store: UnitStore | None = None,
) -> SelfTest:
    """Run a job's procedure on relabelled subjects and on noise.

    Parameters
    ----------
    job
        Configuration; its cohort, builders, classifiers, folds and trials are used unchanged.
    size
        How many cohorts, relabellings and seeds.
    progress
        Reports long work.
    store
        Where finished cohorts are kept, so that an interrupted call is resumed by the next; none by default.

    Raises
    ------
    ResponderError
        The configuration, the cohort or the size cannot be used.
    """
    size, progress = size or SelfTestSize(), progress or Progress()
    _check_resolution(size, job.null.alpha)
    prepared = prepare_job(job)
    # Nothing rests on the null's mean and spread here, so a null may end as soon as it is settled.
    null = NullPlan(size.permutations, job.null.alpha, job.seed, least=1)
    workers = build_workers(job.compute, store)
    costs = {_stage(kind): float(size.cohorts * expected_draws(null)) for kind in get_args(Kind)}
    costs |= seed_costs(job.seed, size.seeds, prepared)
    controls = []
    with progress.work(WorkPlan(costs, workers.count)):
        for kind in get_args(Kind):
            run = partial(
                _run_cohort, prepared.labelled, prepared.feasible.candidates, prepared.feasible.plan, null, kind
            )
            results: list[tuple[float, float]] = []
            with progress.stage(_stage(kind)) as on_progress:
                for result in workers.map(run, range(size.cohorts)):
                    results.append(result)
                    mean = np.mean([value for value, _ in results])
                    on_progress(len(results), size.cohorts, f"mean AUROC {mean:.2f}")
            aurocs, p_values = np.array(results).T
            controls.append(NegativeControl(kind, aurocs, p_values, job.null.alpha))
        seeds = judge_seeds(job, size.seeds, progress, store) if size.seeds else ()
    return SelfTest(job.name, job.seed, size, tuple(controls), seeds)


def _stage(kind: Kind) -> str:
    return f"Cohorts without effect ({kind})"


def shuffle_genes(expression: Floats, rng: np.random.Generator, pair_of: Indices | None = None) -> Floats:
    """Permute each gene's values (columns) over the samples, independently of the other genes; of pairs within each."""
    if pair_of is None:
        return rng.permuted(expression, axis=0)
    shuffled = expression.copy()
    for pair in np.unique(pair_of):
        shuffled[pair_of == pair] = rng.permuted(expression[pair_of == pair], axis=0)
    return shuffled


def write_selftest(test: SelfTest, path: Path) -> None:
    """Write everything as JSON.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    write_text(path, json.dumps(_record(test), indent=2, allow_nan=False) + "\n")


def is_selftest(content: bytes) -> bool:
    """Tell whether a file is what `write_selftest` writes."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and {"effort", "challenges", "leaks", "sentence"} <= set(record)


def default_checkpoint(job: JobConfig, size: SelfTestSize) -> Path:
    """Return where the units of a self-test without a file of its own are kept: beside this in the current folder."""
    return named_folder(".", f"selftest-{job.name}", [job.resolved(), vars(size)])


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
        shuffled = shuffle_genes(search_data.expression, rng, labelled.strata if labelled.paired else None)
        search_data = replace(search_data, expression=shuffled, gaps=None)
    # The folds come from the same seed: folds shared by all cohorts would bias all of them alike.
    procedure = Procedure(search_data, candidates, replace(plan, seed=seed), Workers(1))
    observed = procedure.observe(labels)
    result = run_null(
        procedure.statistics,
        labels,
        search_data.strata,
        observed.measured(procedure.cells),
        replace(null, seed=seed),
        "selftest",
    )
    return auroc(observed.auto), result.p_value


def _check_resolution(size: SelfTestSize, alpha: float) -> None:
    if 1 / (size.permutations + 1) > alpha:
        raise ConfigError(
            f"With {size.permutations} relabellings no p can reach {alpha:g}. A self-test at that level needs at least "
            f"{int(np.ceil(1 / alpha)) - 1}."
        )


def _reasons(control: NegativeControl) -> list[str]:
    reasons = []
    if control.auroc_leaks:
        reasons.append(
            f"the mean AUROC of {len(control.aurocs)} {control.kind} cohorts is {control.mean:.2f}, but at most "
            f"{control.band[1]:.2f} is expected without any effect"
        )
    if control.p_leaks:
        reasons.append(
            f"p is at most {control.alpha:g} in {control.small} of {len(control.p_values)} {control.kind} cohorts, but at most "
            f"{control.most_small} are expected"
        )
    return reasons


def _record(test: SelfTest) -> dict[str, Any]:
    return {
        "name": test.name,
        "seed": test.seed,
        "effort": vars(test.size),
        "challenges": [
            {
                "kind": control.kind,
                "auroc_mean": control.mean,
                "auroc_band": control.band,
                "alpha": control.alpha,
                "p_small": control.small,
                "p_small_expected_at_most": control.most_small,
                "p_small_share_interval": control.small_interval,
                "leaks": control.auroc_leaks or control.p_leaks,
                "aurocs": control.aurocs.tolist(),
                "p_values": control.p_values.tolist(),
            }
            for control in test.controls
        ],
        "seeds": [
            {"seed": seed.seed, "auroc": seed.auroc, "p_value": seed.p_value, "verdict": seed.verdict.level}
            for seed in test.seeds
        ],
        "leaks": test.leaks,
        "sentence": test.sentence,
    }

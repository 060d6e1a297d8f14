"""The verdict of a job under other seeds: the same data and settings, other splits and relabellings."""

from dataclasses import dataclass

from responder_ml.build import PreparedJob, build_cohort, build_workers, prepare_job
from responder_ml.config import JobConfig
from responder_ml.evaluation.evidence import assess_evidence
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.permutation import expected_draws, is_exact
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import count_labellings
from responder_ml.evaluation.verdict import Verdict
from responder_ml.features.normalise import log2_expression
from responder_ml.progress import Progress
from responder_ml.records.seed_groups import count_levels
from responder_ml.search.search_data import SearchData
from responder_ml.search.unit_store import UnitStore


@dataclass(frozen=True)
class SeedVerdict:
    """What a job shows under one seed.

    Attributes
    ----------
    seed
        The seed.
    auroc, p_value
        Headline and p; None where no null was run.
    verdict
        The verdict, as ``train`` would reach it.
    """

    seed: int
    auroc: float
    p_value: float | None
    verdict: Verdict


def judge_seeds(
    job: JobConfig, number: int, progress: Progress, store: UnitStore | None = None
) -> tuple[SeedVerdict, ...]:
    """Reach the verdict of a job under its own seed and those that follow it.

    Data are read, or simulated, once under the job's own seed: only splits, tuning and relabellings change. Nothing is entered in
    the register of jobs, since all of the seeds are shown together and none can be picked.

    Parameters
    ----------
    job
        Configuration.
    number
        Number of seeds, the job's own included.
    progress
        Reports long work.
    store
        Where finished units are kept, if anywhere.

    Raises
    ------
    ResponderError
        The configuration or the cohort cannot be used.
    """
    cohort, workers = build_cohort(job.cohort, job.seed), build_workers(job.compute, store)
    verdicts = []
    for seed in range(job.seed, job.seed + number):
        prepared = prepare_job(job.model_copy(update={"seed": seed}), cohort)
        labelled, feasible = prepared.labelled, prepared.feasible
        log2 = log2_expression(labelled.expression, str(labelled.cohort.uns["units"]))
        procedure = Procedure(SearchData.of(labelled), feasible.candidates, feasible.plan, workers)
        observed = procedure.observe(labelled.labels)
        evidence = assess_evidence(
            procedure, observed, labelled, prepared.null_plan, log2, progress, title=_stage(seed)
        )
        p_value = None if evidence.null is None else evidence.null.p_value
        verdicts.append(SeedVerdict(seed, auroc(observed.auto), p_value, evidence.verdict))
    return tuple(verdicts)


def seed_costs(first: int, number: int, prepared: PreparedJob) -> dict[str, float]:
    """Return what the null of every seed costs, in relabellings, by the title of its stage.

    Parameters
    ----------
    first, number
        The job's own seed, and how many.
    prepared
        Its data and plan.
    """
    null, labels, strata = prepared.null_plan, prepared.labelled.labels, prepared.labelled.strata
    exact = is_exact(labels, strata, null.permutations)
    cost = count_labellings(labels, strata) if exact else expected_draws(null)
    return {_stage(seed): float(cost) for seed in range(first, first + number)}


def _stage(seed: int) -> str:
    return f"Seed {seed}"


def describe_seeds(verdicts: tuple[SeedVerdict, ...]) -> str:
    """Return whether the seed turns the verdict, in one sentence."""
    levels = [verdict.verdict.level for verdict in verdicts]
    if len(set(levels)) == 1:
        return f"All {len(levels)} seeds give the same verdict: {levels[0].replace('_', ' ')}."
    return (
        f"The seed turns the verdict: {count_levels(levels)}. Do not pick one; with more repeats (`search.repeats`) the splits "
        "count for less."
    )

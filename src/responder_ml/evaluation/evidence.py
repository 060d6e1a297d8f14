"""The evidence for one headline: its null, its conditional null, baselines on the same folds, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.auroc_interval import auroc_interval
from responder_ml.evaluation.baselines import evaluate_baseline, evaluate_random_signatures, list_baselines
from responder_ml.evaluation.conditional import measure_links, nuisance_of
from responder_ml.evaluation.global_test import GlobalTest, run_global_test, tell_global_test
from responder_ml.evaluation.intervals import corrected_t
from responder_ml.evaluation.metrics import OutOfFold, auroc, fold_aurocs
from responder_ml.evaluation.permutation import (
    NullPlan,
    NullResult,
    is_exact,
    min_attainable_p,
    relabellings_short,
    run_null,
)
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.evaluation.relabel import count_labellings, format_count, smallest_exact_p
from responder_ml.evaluation.sequential import RISK
from responder_ml.evaluation.verdict import (
    BaselineResult,
    NuisanceSummary,
    NullSummary,
    Verdict,
    conclude,
    is_underpowered,
    summarise_null,
)
from responder_ml.progress import Progress

NULL_STAGE, CONDITIONAL_STAGE = "Null", "Null among subjects alike in nuisances"
"""Titles of the two nulls, for whoever watches."""


@dataclass(frozen=True)
class Evidence:
    """What the verdict rests on; a null is None where it was not run or has nothing to permute."""

    null: NullResult | None
    conditional: NullResult | None
    baselines: tuple[BaselineResult, ...]
    verdict: Verdict
    global_test: GlobalTest | None = None


def power_note(labelled: LabelledCohort, plan: NullPlan) -> str:
    """Return sentences on what the null of these subjects can show; known before anything is trained."""
    labels, strata = labelled.labels, labelled.strata
    count = count_labellings(labels, strata)
    within = f" within {' x '.join(labelled.endpoint.strata)}" if labelled.endpoint.strata else ""
    labellings = f"{format_count(count)} labellings{within}"
    attainable = smallest_exact_p(labels, strata)
    if is_underpowered(attainable, plan.alpha):
        return (
            f"Underpowered: {labellings}; with all of them run, the smallest attainable p is {attainable:.2g}. No result "
            f"can reach p <= {plan.alpha:g}; what follows can only describe."
        )
    if plan.permutations == 0:
        return f"{labellings}; none is run (null.permutations is 0), so nothing is tested."
    smallest = f"the smallest attainable p is {min_attainable_p(labels, strata, plan):.2g}"
    if is_exact(labels, strata, plan.permutations):
        return f"{labellings}; with all of them run, {smallest}."
    fewest = relabellings_short(labels, strata, plan)
    if fewest is not None:
        return (
            f"Too few relabellings are asked for: {labellings}, of which null.permutations allows {plan.budget:,}. At least "
            f"{fewest:,} are needed to see that p is below {plan.alpha:g}; with fewer the verdict can only be undecided or no "
            f"evidence. Write null.permutations: auto, or a number from {fewest:,}."
        )
    return (
        f"{labellings}; random ones are run until it is settled whether p is at most {plan.alpha:g} (wrong with probability "
        f"{RISK:g} at most), {plan.budget:,} at most; {smallest}."
    )


def assess_evidence(
    procedure: Procedure,
    observed: ObservedResult,
    labelled: LabelledCohort,
    plan: NullPlan,
    log2: Floats,
    progress: Progress,
    title: str = NULL_STAGE,
) -> Evidence:
    """Run both nulls and the baselines, and reach the verdict.

    Parameters
    ----------
    procedure, observed
        The procedure, and its result on the observed labels.
    labelled
        Labels, strata and nuisance columns.
    plan
        How the nulls are run.
    log2
        Log2 expression, samples x genes, for random signatures and cell-type markers.
    progress
        Is told about both nulls, each a stage.
    title
        Of the first of them.
    """
    null = None
    if plan.permutations != 0:
        value = observed.measured(procedure.cells)
        with progress.stage(title) as on_progress:
            null = run_null(procedure.statistics, labelled.labels, labelled.strata, value, plan, "strata", on_progress)
    return assess_given_null(null, procedure, observed, labelled, plan, log2, progress)


def assess_given_null(
    null: NullResult | None,
    procedure: Procedure,
    observed: ObservedResult,
    labelled: LabelledCohort,
    plan: NullPlan,
    log2: Floats,
    progress: Progress,
    p_name: str = "p",
) -> Evidence:
    """Run the conditional null and the baselines, and reach the verdict, for a null that was run before.

    Parameters
    ----------
    null
        Where several jobs are tested together, its p and its smallest attainable p are the corrected ones. None if no
        null was run.
    procedure, observed, labelled, plan, log2, progress
        As for `assess_evidence`.
    p_name
        Name of the p value in the verdict.
    """
    baselines = _baselines(procedure, observed, labelled, log2)
    conditional, nuisance = None, None
    if null is not None and null.rejected(plan.alpha):
        best = _best([baseline for baseline in baselines if baseline.nuisance])
        conditional, nuisance = _assess_nuisance(procedure, observed, labelled, plan, best, progress)
    verdict = conclude(
        question=f"{labelled.endpoint.positive} from {labelled.endpoint.negative}",
        auroc=auroc(observed.auto),
        upper=auroc_interval(observed.auto)[1],
        null=NullSummary(None, 0.0) if null is None else summarise_null(null, plan.alpha, p_name),
        nuisance=nuisance,
        best=_best(baselines),
        alpha=plan.alpha,
    )
    global_test = None if null is None else run_global_test(labelled, log2, plan.seed)
    if global_test is not None and verdict.level != "underpowered":
        told = tell_global_test(global_test, among_jobs=p_name != "p")
        verdict = replace(verdict, sentence=f"{verdict.sentence} {told}")
    return Evidence(null, conditional, tuple(baselines), verdict, global_test)


def _assess_nuisance(
    procedure: Procedure,
    observed: ObservedResult,
    labelled: LabelledCohort,
    plan: NullPlan,
    best: BaselineResult | None,
    progress: Progress,
) -> tuple[NullResult | None, NuisanceSummary | None]:
    """Test whether nuisances may explain a result, and exchange labels between subjects alike in them.

    The library size, which nobody declared, is worth a second null only where it may explain the result.
    """
    nuisance = nuisance_of(labelled)
    if nuisance is None:
        return None, None
    links = measure_links(nuisance, labelled.labels, labelled.strata, observed.auto.decisions)
    conditional = None
    if nuisance.declared or links.may_explain or links.association_p <= plan.alpha:
        # Subjects are compared only with those alike in the categories.
        with progress.stage(CONDITIONAL_STAGE) as on_progress:
            conditional = run_null(
                partial(procedure.statistics, cells=nuisance.cells),
                labelled.labels,
                nuisance.cells,
                observed.measured(nuisance.cells),
                plan,
                "strata and batch",
                on_progress,
                nuisance.log_odds(labelled.labels),
            )
    summary = None if conditional is None else summarise_null(conditional, plan.alpha)
    names = " and ".join([", ".join(nuisance.names[:-1])] * (len(nuisance.names) > 1) + [nuisance.names[-1]])
    return conditional, NuisanceSummary(names, summary, links.association_p, links.may_explain, best)


def _baselines(
    procedure: Procedure, observed: ObservedResult, labelled: LabelledCohort, log2: Floats
) -> list[BaselineResult]:
    subject_of = labelled.subject_of
    results = [
        _compare(
            baseline.name,
            baseline.nuisance,
            [evaluate_baseline(baseline, observed.auto, subject_of)],
            observed.auto,
        )
        for baseline in list_baselines(labelled, log2)
    ]
    genes = [procedure.genes_used(model) for model in observed.models]
    used = np.unique(np.concatenate(genes))
    if used.size:
        sizes = [len(of_model) for of_model in genes]
        level = log2.mean(axis=0)[used]
        random = evaluate_random_signatures(log2, sizes, level, observed.auto, subject_of)
        results.append(_compare("random signatures", False, random, observed.auto))
    return results


def _compare(name: str, nuisance: bool, baselines: Sequence[OutOfFold], headline: OutOfFold) -> BaselineResult:
    """Compare the headline with one baseline, or with the mean of several of one kind."""
    folds = np.mean([fold_aurocs(baseline) for baseline in baselines], axis=0)
    gain = corrected_t(fold_aurocs(headline) - folds, folds.shape[1])
    scores = [auroc(baseline) for baseline in baselines]
    if len(baselines) == 1:
        interval = auroc_interval(baselines[0])
    else:
        interval = (float(np.quantile(scores, 0.025)), float(np.quantile(scores, 0.975)))
    score = float(np.mean(scores))
    return BaselineResult(name, nuisance, score, interval, auroc(headline) - score, (gain.low, gain.high))


def _best(baselines: Sequence[BaselineResult]) -> BaselineResult | None:
    return max(baselines, key=lambda baseline: baseline.auroc, default=None)

"""From a job with a graded outcome to its data and plan; nothing is trained yet."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from anndata import AnnData

from responder_ml.build import build_cohort, build_endpoint, build_null_plan, build_search_plan
from responder_ml.cohort.covariates import check_covariates
from responder_ml.cohort.graded_outcome import LOWER, UPPER, GradedCohort, count_compared, grade_cohort
from responder_ml.config import JobConfig
from responder_ml.errors import ConfigError
from responder_ml.evaluation.composition import with_composition
from responder_ml.evaluation.graded_evidence import graded_power_note
from responder_ml.evaluation.permutation import NullPlan
from responder_ml.evaluation.small_n import FeasiblePlan, fit_plan_to_blocks, fit_plan_to_outcome
from responder_ml.features.builders import BUILDERS
from responder_ml.features.builders.builder import Builder
from responder_ml.job_checks import check_builder, check_params, refuse_label_elsewhere, unique_name
from responder_ml.regressors import REGRESSORS
from responder_ml.regressors.regressor import Regressor
from responder_ml.search.candidate import Candidate, classifier_notes
from responder_ml.search.search_data import context_of


@dataclass(frozen=True)
class PreparedGraded:
    """A job with a graded outcome whose data have been read and whose plan fits their number.

    Attributes
    ----------
    graded
        The data with their outcome, and the audit.
    feasible
        Search plan and candidates that the number of subjects allows, with notes on what was changed.
    null_plan
        How the null is run.
    power_note
        What this null can show with these subjects.
    """

    graded: GradedCohort
    feasible: FeasiblePlan
    null_plan: NullPlan
    power_note: str


def prepare_graded(job: JobConfig, cohort: AnnData | None = None) -> PreparedGraded:
    """Check the job against its targets, read and audit its cohort, and fit the plan to the number of subjects.

    Parameters
    ----------
    job
        Configuration whose endpoint has ``kind: score``.
    cohort
        The job's rows, where they have been read already.

    Raises
    ------
    ResponderError
        Anything the user can mend.
    """
    candidates = build_graded_candidates(job)
    cohort = build_cohort(job.cohort, job.seed) if cohort is None else cohort
    endpoint = build_endpoint(job.endpoint.of_two(UPPER, LOWER))
    graded = grade_cohort(*with_composition(cohort, endpoint))
    labelled = graded.labelled
    check_covariates(labelled)
    for candidate in candidates:
        candidate.builder.check(context_of(labelled))
    builders = {candidate.builder_name: candidate.builder for candidate in candidates}
    notes = [f"{name}: {note}" for name, builder in builders.items() for note in builder.notes(labelled.genes)]
    notes += classifier_notes(candidates)
    smaller = min(int(labelled.labels.sum()), int((labelled.labels == 0).sum()))
    feasible = fit_plan_to_outcome(build_search_plan(job), candidates, smaller)
    if labelled.block_of is not None:
        plan, changes = fit_plan_to_blocks(
            feasible.plan, count_compared(graded.outcome, labelled.block_of), "different outcomes"
        )
        together = f"Subjects of one '{endpoint.block}' stay together in every fold, and outcomes are exchanged within it alone."
        feasible = replace(feasible, plan=plan, notes=(*feasible.notes, together, *changes))
    check_covariates(labelled, feasible.plan.smallest_training(len(labelled.labels)))
    null_plan = build_null_plan(job)
    return PreparedGraded(
        graded,
        replace(feasible, notes=(*feasible.notes, *notes)),
        null_plan,
        graded_power_note(graded.outcome, labelled.strata, labelled.endpoint.strata, null_plan),
    )


def build_graded_candidates(job: JobConfig) -> list[Candidate]:
    """Return every builder x regressor of a job.

    Raises
    ------
    UnknownNameError, ConfigError
        An unknown kind or parameter, two components of one name, or a builder that needs classes.
    """
    refuse_label_elsewhere(job)
    builders: dict[str, Builder] = {}
    for component in job.builders:
        kind = BUILDERS[component.kind]
        if not kind.takes_outcomes:
            known = ", ".join(builder.name for builder in BUILDERS if builder.takes_outcomes)
            raise ConfigError(
                f"The builder '{component.kind}' needs two classes, and the endpoint is a graded outcome. Choose among: {known}."
            )
        check_builder(component, kind, job.endpoint)
        builders[unique_name(component, builders, "builder")] = kind(units=job.cohort.units, **component.params)
    regressors: dict[str, tuple[type[Regressor], Mapping[str, Any]]] = {}
    for component in job.regressors or ():
        family = REGRESSORS[component.kind]
        check_params(f"regressor '{component.kind}'", family, component.params, ())
        regressors[unique_name(component, regressors, "regressor")] = (family, component.params)
    return [
        Candidate(builder_name, builder, family, params, name)
        for builder_name, builder in builders.items()
        for name, (family, params) in regressors.items()
    ]

"""Subjects that belong together: matched pairs, compared with their own mean, and blocks, which folds keep together."""

from dataclasses import replace

from responder_ml.cohort.blocks import count_mixed
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.missing_values import without_gaps
from responder_ml.evaluation.small_n import fit_plan_to_blocks
from responder_ml.features.pair_deviations import pair_deviations
from responder_ml.search.draw import SearchPlan


def compared_within_pairs(labelled: LabelledCohort) -> LabelledCohort:
    """Return paired subjects with their deviations from the pair's mean as expression; others as they are."""
    if not labelled.paired:
        return labelled
    cohort = without_gaps(labelled.cohort.copy())
    labelled = replace(labelled, cohort=cohort, outside=labelled.outside[:, cohort.var_names])
    sums = labelled.library_size
    cohort.X = pair_deviations(labelled.expression, str(cohort.uns["units"]), labelled.strata)
    if sums is not None:
        cohort.uns["library_size"] = sums
    cohort.uns["units"] = "log2"
    return replace(labelled, cohort=cohort)


def fit_to_blocks(plan: SearchPlan, labelled: LabelledCohort) -> tuple[SearchPlan, list[str]]:
    """Return a plan whose folds fit the blocks of a cohort, and sentences on what the blocks do; none without blocks."""
    if labelled.blocks is None:
        return plan, []
    classes = (labelled.endpoint.positive, labelled.endpoint.negative)
    notes = [labelled.blocks.note(labelled.labels, classes)]
    if labelled.block_of is None:
        return plan, notes
    plan, changes = fit_plan_to_blocks(plan, count_mixed(labelled.labels, labelled.block_of))
    return plan, [*notes, *changes]

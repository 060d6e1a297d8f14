"""What a training has ahead of it, as costs of its stages; how long that takes is measured while it runs.

The unit is one relabelled draw of the null with fixed forms: one labelling through one repeat of the outer folds. The factors are
those that `benchmarks/stage_costs.py` measured. They only weigh stages against each other until a stage has been measured itself.
"""

from responder_ml.build import PreparedJob
from responder_ml.evaluation.evidence import CONDITIONAL_STAGE, NULL_STAGE
from responder_ml.evaluation.permutation import REFERENCE_DRAWS, expected_draws, is_exact
from responder_ml.evaluation.relabel import count_labellings
from responder_ml.explanation.call_out import REPEATS, compared_relabellings
from responder_ml.progress import WorkPlan
from responder_ml.search.draw import SearchPlan

SEARCH_STAGE, EARLY_GENE_STAGE, EXPLANATION_STAGE, REFIT_STAGE = (
    "Nested search", "Without immediate-early genes", "Explanation", "Final fit",
)  # fmt: skip
"""Titles of the other stages of a training, for whoever watches."""

KEPT = 20
"""What it costs more to keep the models of a draw; those of relabelled ones are not, and many are fitted together."""
# What it costs more to explain them, to compute a builder's columns anew without some genes, and to pack the final fit.
_EXPLAINED, _WITHOUT_GENES, _REFIT = 32, 40, 50
# One trial on one inner fold, beside the fixed forms of one outer fold.
_TRIAL = 0.5


def plan_training(prepared: PreparedJob, workers: int) -> WorkPlan:
    """Return the stages of a training with their expected costs.

    A null that is drawn is expected to end as soon as one can. What it may cost beyond that is told apart, with a second null among
    subjects that are alike in nuisances, which is run where the first rejects.

    Parameters
    ----------
    prepared
        Data and plan.
    workers
        Processes that share the work.
    """
    plan, null, labelled = prepared.feasible.plan, prepared.null_plan, prepared.labelled
    draw = draw_cost(plan)
    labellings = count_labellings(labelled.labels, labelled.strata)
    costs = {SEARCH_STAGE: plan.repeats * (draw + KEPT)}
    more, reason = 0.0, ""
    if null.permutations != 0:
        exact = is_exact(labelled.labels, labelled.strata, null.permutations)
        expected = labellings if exact else REFERENCE_DRAWS + expected_draws(null)
        costs[NULL_STAGE] = plan.repeats * draw * expected
        if labelled.endpoint.nuisance:
            costs[CONDITIONAL_STAGE] = costs[NULL_STAGE]
        if not exact:
            more = plan.repeats * draw * (null.budget - expected_draws(null)) * (2 if labelled.endpoint.nuisance else 1)
            reason = f"if p lies near {null.alpha:g}"
    costs[EARLY_GENE_STAGE] = plan.repeats * (draw + _WITHOUT_GENES)
    if null.permutations != 0:
        costs[EXPLANATION_STAGE] = compared_relabellings(null.alpha) * min(REPEATS, plan.repeats) * (draw + _EXPLAINED)
    costs[REFIT_STAGE] = draw / plan.folds + _REFIT
    return WorkPlan(costs, workers, more, reason)


def draw_cost(plan: SearchPlan) -> float:
    """Return what one labelling costs in one repeat: one where nothing is tuned."""
    return 1.0 + _TRIAL * plan.trials * plan.inner_folds * plan.inner_repeats

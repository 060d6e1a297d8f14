"""What a training is expected to cost, from its plan alone."""

from types import SimpleNamespace

import numpy as np
import pytest

from responder_ml.evaluation.evidence import CONDITIONAL_STAGE, NULL_STAGE
from responder_ml.evaluation.permutation import REFERENCE_DRAWS, NullPlan, expected_draws
from responder_ml.forecast import (
    EARLY_GENE_STAGE,
    EXPLANATION_STAGE,
    REFIT_STAGE,
    SEARCH_STAGE,
    draw_cost,
    plan_training,
)
from responder_ml.search.draw import SearchPlan

FIXED = SearchPlan(folds=6, repeats=3, inner_folds=3, trials=0, seed=7)
TUNED = SearchPlan(folds=5, repeats=2, inner_folds=3, trials=25, seed=7)


def _prepared(sizes, plan, permutations="auto", nuisance=()):
    labels = np.repeat([1, 0], sizes).astype(np.int8)
    labelled = SimpleNamespace(
        labels=labels, strata=np.zeros(len(labels), dtype=int), endpoint=SimpleNamespace(nuisance=nuisance)
    )
    return SimpleNamespace(
        labelled=labelled, feasible=SimpleNamespace(plan=plan), null_plan=NullPlan(permutations, 0.05, 7)
    )


def test_an_exact_null_costs_all_its_labellings_and_no_more():
    plan = plan_training(_prepared((4, 4), FIXED), 2)
    assert list(plan.costs) == [SEARCH_STAGE, NULL_STAGE, EARLY_GENE_STAGE, EXPLANATION_STAGE, REFIT_STAGE]
    assert plan.costs[NULL_STAGE] == 70 * 3
    assert (plan.more, plan.reason, plan.workers) == (0.0, "", 2)


def test_a_null_that_is_drawn_ends_when_it_can_and_may_go_on_to_its_budget():
    prepared = _prepared((20, 20), TUNED)
    plan, of_draw = plan_training(prepared, 1), 2 * draw_cost(TUNED)
    expected = expected_draws(prepared.null_plan)
    assert plan.costs[NULL_STAGE] == pytest.approx(of_draw * (REFERENCE_DRAWS + expected))
    assert plan.costs[NULL_STAGE] + plan.more == pytest.approx(of_draw * (REFERENCE_DRAWS + 5000))
    assert plan.reason == "if p lies near 0.05"


def test_declared_nuisances_cost_a_second_null():
    plain, declared = (plan_training(_prepared((20, 20), TUNED, nuisance=names), 1) for names in ((), ("batch",)))
    assert CONDITIONAL_STAGE not in plain.costs
    assert declared.costs[CONDITIONAL_STAGE] == declared.costs[NULL_STAGE] == plain.costs[NULL_STAGE]
    assert declared.more == 2 * plain.more


def test_without_a_null_nothing_is_relabelled():
    assert list(plan_training(_prepared((20, 20), TUNED, permutations=0), 1).costs) == [
        SEARCH_STAGE, EARLY_GENE_STAGE, REFIT_STAGE
    ]  # fmt: skip


def test_tuning_costs_its_trials_on_every_inner_fold():
    assert draw_cost(FIXED) == 1
    assert draw_cost(TUNED) - 1 == pytest.approx(25 * TUNED.inner_folds * TUNED.inner_repeats / 2)

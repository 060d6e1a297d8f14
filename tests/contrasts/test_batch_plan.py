import numpy as np
import pandas as pd
import pytest

from responder_ml.contrasts.batch_plan import plan_batch


@pytest.fixture
def sheet():
    """A sheet of 25 animals in two batches that alternate."""
    return pd.DataFrame({"batch": [f"run{index % 2}" for index in range(25)], "rin": np.linspace(7, 9, 25)})


def test_batches_with_too_few_relabellings_within_are_held_constant(study, sheet):
    plan = plan_batch(study, sheet, ["batch"])
    assert plan.covariates.shape == (25, 1)
    assert plan.strata is None
    assert plan.sentence.startswith("batch is held constant, and residuals are rotated")


def test_animals_are_relabelled_within_batches_where_that_leaves_enough(study, sheet):
    sheet["batch"] = "run0"
    sheet.loc[np.flatnonzero(study.codes == study.code("resilient"))[:2], "batch"] = "run1"
    plan = plan_batch(study, sheet, ["batch"])
    assert set(plan.strata) == {0, 1}
    assert "relabelled within it" in plan.sentence


def test_a_batch_that_is_a_group_is_not_handled_and_that_is_said(study, sheet):
    sheet["batch"] = np.where(study.codes == study.code("susceptible"), "run1", "run0")
    plan = plan_batch(study, sheet, ["batch"])
    assert (plan.covariates, plan.strata) == (None, None)
    assert "cannot be told from the groups" in plan.sentence


def test_a_single_batch_needs_nothing(study, sheet):
    sheet["batch"] = "run0"
    assert plan_batch(study, sheet, ["batch"]).sentence == ""


def test_batches_may_be_numbers(study, sheet):
    sheet["run"] = np.arange(25) % 2
    np.testing.assert_array_equal(
        plan_batch(study, sheet, ["run"]).covariates, plan_batch(study, sheet, ["batch"]).covariates
    )

"""The plan of a job with blocks, and the whole procedure on it."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.build import prepare_job
from responder_ml.config import JobConfig
from responder_ml.errors import EndpointError
from responder_ml.evaluation.permutation import NullPlan, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers


def _prepare(rng, cages, positive, trials=0, **search):
    sheet = pd.DataFrame(
        {
            "subject": [f"m{row:02d}" for row in range(len(cages))],
            "cage": cages,
            "response": np.where(positive, "yes", "no"),
        },
        index=[f"s{row:02d}" for row in range(len(cages))],
    )
    # Cages differ in every gene, and three of 40 genes by class.
    values = rng.normal(8, 1, (len(cages), 40)) + rng.normal(0, 2, (99, 40))[pd.factorize(sheet["cage"])[0]]
    values[:, :3] += 3.0 * np.asarray(positive)[:, None]
    cohort = AnnData(values, obs=sheet, var=pd.DataFrame(index=[f"g{gene}" for gene in range(40)]))
    cohort.uns.update(units="log2", simulated=True, source="simulated", subject_source="column", unused_samples=[])
    job = JobConfig(
        name="blocks",
        cohort={"source": "table", "units": "log2"},
        endpoint={"column": "response", "positive": "yes", "negative": "no", "block": "cage"},
        builders=[{"kind": "genes"}],
        classifiers=[{"kind": "nearest_centroid"}],
        search={"trials": trials, **search},
    )
    return prepare_job(job, cohort)


def test_mixed_cages_are_held_out_whole_and_compared_within(rng):
    prepared = _prepare(rng, np.repeat([f"c{cage}" for cage in range(5)], 4), np.tile([True, True, False, False], 5))
    plan, labelled = prepared.feasible.plan, prepared.labelled
    assert (plan.folds, plan.complete) == (5, False)
    procedure = Procedure(SearchData.of(labelled), prepared.feasible.candidates, plan, Workers(1))
    observed = procedure.observe(labelled.labels, repeats=2)
    for folds in observed.auto.folds:
        assert pd.Series(folds).groupby(labelled.block_of).nunique().max() == 1
    null = run_null(
        lambda labellings: procedure.statistics(labellings, repeats=2),
        labelled.labels, labelled.strata, observed.measured(procedure.cells), NullPlan(199, 0.05, 3), "strata",
    )  # fmt: skip
    assert null.labellings == 6**5
    assert null.p_value <= 0.05


def test_cages_of_one_class_leave_as_many_units_as_cages(rng):
    positive = np.repeat([True, False] * 4, 3)
    prepared = _prepare(rng, np.repeat([f"c{cage}" for cage in range(8)], 3), positive)
    assert len(prepared.labelled.subjects) == 8
    assert "70 labellings" in prepared.power_note
    assert any("so it is the unit" in note for note in prepared.feasible.notes)


def test_too_few_cages_are_told_of_as_cages(rng):
    with pytest.raises(EndpointError, match=r"Each 'cage' holds one class, so it is the unit.*2 are yes and 2 no"):
        _prepare(rng, np.repeat(["c1", "c2", "c3", "c4"], 6), np.repeat([True, False, True, False], 6))


@pytest.mark.parametrize(("cages", "folds", "inner", "trials"), [(12, 5, 3, 4), (4, 4, 3, 4), (2, 2, 3, 0)])
def test_folds_and_tuning_fit_the_number_of_mixed_cages(rng, cages, folds, inner, trials):
    count = 48 // cages
    prepared = _prepare(
        rng, np.repeat([f"c{cage}" for cage in range(cages)], count), np.tile([True, False], 24), trials=4
    )
    plan = prepared.feasible.plan
    assert (plan.folds, plan.inner_folds, plan.trials) == (folds, inner, trials)

"""Cages and litters: the unit where each holds one class, and the strata where they hold both."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.combine_samples import combine_samples
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.errors import EndpointError
from responder_ml.evaluation.relabel import count_labellings, enumerate_labellings


def _cohort(rng, cages, responses, **columns):
    count = len(cages)
    sheet = pd.DataFrame(
        {"subject": [f"m{row:02d}" for row in range(count)], "cage": cages, "response": responses, **columns},
        index=[f"s{row:02d}" for row in range(count)],
    )
    cohort = AnnData(rng.normal(8, 1, (count, 6)), obs=sheet, var=pd.DataFrame(index=[f"g{gene}" for gene in range(6)]))
    cohort.uns["units"] = "log2"
    return cohort


def _labelled(cohort, **options):
    return label_cohort(cohort, Endpoint("response", "yes", "no", block="cage", **options))


def test_cages_of_one_class_are_the_unit_and_are_averaged(rng):
    cages = ["c2"] * 3 + ["c1"] * 2 + ["c3"] * 1 + ["c4"] * 3
    cohort = _cohort(rng, cages, ["yes"] * 5 + ["no"] * 4)
    labelled = combine_samples(_labelled(cohort))
    assert labelled.subjects == ("c1", "c2", "c3", "c4")
    assert labelled.labels.tolist() == [1, 1, 0, 0]
    assert (labelled.blocks.is_unit, labelled.block_of) == (True, None)
    np.testing.assert_allclose(labelled.expression[1], np.asarray(cohort.X)[:3].mean(axis=0))
    assert count_labellings(labelled.labels, labelled.strata) == 6
    assert "holds one class, so it is the unit" in labelled.blocks.note(labelled.labels, ("yes", "no"))


def test_labels_are_exchanged_within_cages_of_both_classes_alone(rng):
    cages = ["c1"] * 4 + ["c2"] * 3 + ["c3"] * 2
    labelled = _labelled(_cohort(rng, cages, ["yes", "no", "yes", "no", "yes", "no", "no", "yes", "yes"]))
    assert labelled.endpoint.strata == ("cage",)
    assert labelled.block_of.tolist() == [0] * 4 + [1] * 3 + [2] * 2
    labellings = enumerate_labellings(labelled.labels, labelled.strata)
    assert len(labellings) == 6 * 3
    assert (labellings[:, -2:] == 1).all()
    assert (labellings[:, :4].sum(axis=1) == 2).all()
    note = labelled.blocks.note(labelled.labels, ("yes", "no"))
    assert "within the 2 of 'cage' that hold both classes; the 1 of one class keep theirs" in note


def test_strata_within_a_cage_are_kept_beside_it(rng):
    labelled = _labelled(
        _cohort(rng, ["c1"] * 4 + ["c2"] * 4, ["yes", "no"] * 4, drug=["a", "a", "b", "b"] * 2), strata=("drug",)
    )
    assert len(set(labelled.strata.tolist())) == 4
    assert count_labellings(labelled.labels, labelled.strata) == 16
    assert labelled.block_of.tolist() == [0] * 4 + [1] * 4


def test_cage_mates_outside_the_endpoint_are_no_reference(rng):
    cages, responses = ["c1", "c1", "c2", "c2", "c3"], ["yes", "control", "no", "no", "control"]
    labelled = _labelled(_cohort(rng, cages, responses))
    assert labelled.outside.obs["cage"].tolist() == ["c3"]


def test_a_batch_may_differ_within_a_cage_that_is_the_unit(rng):
    cohort = _cohort(rng, ["c1", "c1", "c2", "c2"], ["yes", "yes", "no", "no"], batch=["x", "y", "x", "x"])
    labelled = combine_samples(_labelled(cohort, nuisance=("batch",)))
    assert labelled.cohort.obs["batch"].tolist() == ["x+y", "x"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"cages": ["c1", "", "c2", "c2"]}, "empty for 'm01'"),
        ({"cages": ["c1"] * 4}, "all subjects are in one"),
        ({"cages": ["c1", "c2", "c1", "c2"], "subject": ["m0", "m0", "m1", "m2"]}, "several values of the block"),
        ({"cages": ["c1", "c1", "c2", "c2"], "drug": ["a", "b", "a", "a"]}, "several values of the stratum"),
    ],
)
def test_blocks_that_cannot_be_used_are_refused(rng, columns, message):
    cages = columns.pop("cages")
    strata = ("drug",) if "drug" in columns else ()
    with pytest.raises(EndpointError, match=message):
        _labelled(_cohort(rng, cages, ["yes", "yes", "no", "no"], **columns), strata=strata)

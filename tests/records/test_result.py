"""What ``result.json`` says of the data."""

from dataclasses import replace

import pytest

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.records.outcome import data_digest


@pytest.fixture(scope="module")
def labelled():
    cohort = simulate_cohort(seed=1, n_genes=300, regions=["PFC"])
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder", ("drug",), ("batch",)))


def test_digest_is_that_of_equal_data(labelled):
    assert data_digest(labelled) == data_digest(replace(labelled, cohort=labelled.cohort.copy()))


@pytest.mark.parametrize("part", ["cohort", "outside"])
def test_digest_changes_with_expression_and_sheet_of_every_sample_used(labelled, part):
    counts, sheet = getattr(labelled, part).copy(), getattr(labelled, part).copy()
    counts.X[0, 0] += 1
    sheet.obs.iloc[0, sheet.obs.columns.get_loc("batch")] = "another"
    digests = {
        data_digest(each) for each in (labelled, *(replace(labelled, **{part: each}) for each in (counts, sheet)))
    }
    assert len(digests) == 3


def test_digest_changes_with_a_label(labelled):
    labels = labelled.labels.copy()
    labels[0] = 1 - labels[0]
    assert data_digest(replace(labelled, labels=labels)) != data_digest(labelled)

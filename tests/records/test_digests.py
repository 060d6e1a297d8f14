"""Digests of data: what changes that of a job's data, and what that of a sample."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.records.digests import data_digest, sample_digests


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
        data_digest(item) for item in (labelled, *(replace(labelled, **{part: changed}) for changed in (counts, sheet)))
    }
    assert len(digests) == 3


def test_digest_changes_with_a_label(labelled):
    labels = labelled.labels.copy()
    labels[0] = 1 - labels[0]
    assert data_digest(replace(labelled, labels=labels)) != data_digest(labelled)


def test_a_sample_is_known_by_its_expression_whatever_the_order_of_genes(labelled, rng):
    digests = sample_digests(labelled.cohort)
    assert len(set(digests)) == labelled.cohort.n_obs
    shuffled = labelled.cohort[:, rng.permutation(labelled.cohort.n_vars)].copy()
    assert sample_digests(shuffled) == digests
    changed = labelled.cohort.copy()
    changed.X[0, 0] += 1
    assert [one == other for one, other in zip(sample_digests(changed), digests, strict=True)] == [False] + [True] * (
        len(digests) - 1
    )


def test_other_gene_names_are_other_samples_and_a_negative_zero_is_zero(labelled):
    renamed = labelled.cohort.copy()
    renamed.var_names = [f"{name}_" for name in renamed.var_names]
    assert not set(sample_digests(renamed)) & set(sample_digests(labelled.cohort))
    zeros, negative = labelled.cohort.copy(), labelled.cohort.copy()
    zeros.X, negative.X = np.zeros(zeros.shape), -np.zeros(zeros.shape)
    assert sample_digests(zeros) == sample_digests(negative)

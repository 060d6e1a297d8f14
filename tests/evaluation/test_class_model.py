"""The linear model of a labelled cohort: strata, blocks and covariates are held constant, and the class is the last column."""

import numpy as np
import pytest

from responder_ml.build import prepare_job
from responder_ml.config import read_job
from responder_ml.evaluation.class_model import ClassModel


def model(**endpoint):
    params = {
        "n_genes": 300, "seed": 3, "regions": ["PFC"], "replicates": 2, "cage_effect": 0.1, "covariate_effect": 0.1,
    }  # fmt: skip
    job = {
        "name": "x",
        "cohort": {"source": "simulated", "where": {"region": "PFC"}, "params": params},
        "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"} | endpoint,
        "builders": ["genes"],
        "classifiers": ["nearest_centroid"],
    }
    return ClassModel.of(prepare_job(read_job(job, "test")).labelled)


def test_the_class_is_the_last_column_and_strata_come_before_it():
    plain, by_drug = model(), model(strata=["drug"])
    assert plain.design.shape == (26, 2)
    assert by_drug.design.shape == (26, 3)
    np.testing.assert_array_equal(by_drug.design[:, -1], by_drug.labels)
    np.testing.assert_array_equal(by_drug.others.sum(axis=1), 1.0)
    assert len(plain.names) == plain.log2.shape[1] == len(plain.genes)


@pytest.mark.parametrize("endpoint", [{"block": "cage"}, {"adjust": ["age"]}, {"adjust": ["sex"], "strata": ["drug"]}])
def test_the_design_is_of_full_rank_with_blocks_and_covariates(endpoint):
    design = model(**endpoint).design
    assert np.linalg.matrix_rank(design) == design.shape[1]

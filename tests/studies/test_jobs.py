"""Which jobs of a grid are searched, refused or an error."""

import pytest

from responder_ml.build import build_cohort
from responder_ml.errors import EndpointError
from responder_ml.search.workers import Workers
from responder_ml.studies.jobs import RefusedJob, jobs_to_test, search_job, search_jobs
from responder_ml.study_config import StudyConfig

CELLS = {
    "susceptible/ketamine/responder": 3,
    "susceptible/ketamine/non_responder": 3,
    "susceptible/imipramine/responder": 2,
    "susceptible/imipramine/non_responder": 4,
}


@pytest.fixture
def config():
    endpoint = {
        "column": "response",
        "positive": "responder",
        "negative": "non_responder",
        "subsets": {"ketamine": {"drug": "ketamine"}, "imipramine": {"drug": "imipramine"}},
    }
    job = {
        "cohort": {"source": "simulated", "params": {"n_genes": 300, "cells": CELLS, "regions": ["PFC"]}},
        "builders": [{"kind": "genes", "params": {"max_genes": 10}}],
        "classifiers": [{"kind": "nearest_centroid"}],
        "search": {"folds": 3, "repeats": 1, "inner_folds": 2, "trials": 0},
    }
    grid = {"regions": {"PFC": {"region": "PFC"}}, "endpoints": {"response": endpoint}}
    return StudyConfig.model_validate({"name": "s", "job": job, "grid": grid})


@pytest.fixture
def cohort(config):
    return build_cohort(config.base.cohort, config.base.seed)


def test_a_job_with_two_subjects_in_a_class_is_refused_and_the_others_are_searched(config, cohort):
    steps = []
    jobs = search_jobs(list(config.planned_jobs()), cohort, Workers(1), lambda *step: steps.append(step))
    assert steps == [(1, 2, "PFC: response, ketamine"), (2, 2, "PFC: response, imipramine")]
    assert list(jobs_to_test(jobs)) == ["PFC: response, ketamine"]
    assert isinstance(jobs[1], RefusedJob)
    assert (jobs[1].n_positive, jobs[1].n_negative) == (2, 4)


def test_an_error_that_more_subjects_would_not_solve_is_raised(config):
    cells = {"susceptible/ketamine/responder": 7, "susceptible/ketamine/non_responder": 7}
    base = config.base.cohort
    cohort = build_cohort(base.model_copy(update={"params": {**base.params, "cells": cells}}), config.base.seed)
    cohort.obs["subject"] = [*cohort.obs["subject"][:-1], cohort.obs["subject"].iloc[0]]
    with pytest.raises(EndpointError, match="both 'responder' and 'non_responder'"):
        search_job(next(config.planned_jobs()), cohort, Workers(1))

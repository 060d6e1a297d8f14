import pytest

from responder_ml.build import build_candidates
from responder_ml.config import JobConfig
from responder_ml.errors import ConfigError, UnknownNameError
from responder_ml.job_checks import check_params, refuse_label_elsewhere

JOB = {
    "name": "pfc",
    "cohort": {"source": "simulated"},
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"},
    "builders": [{"kind": "genes"}],
    "classifiers": [{"kind": "elastic_net"}],
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classifiers": [{"kind": "elastic_net", "params": {"C": -1}}]}, "C is -1"),
        ({"classifiers": [{"kind": "elastic_net", "params": {"l1_ratio": 2}}]}, "l1_ratio is 2"),
        ({"builders": [{"kind": "genes", "params": {"max_genes": 0}}]}, "max_genes is 0"),
        ({"builders": [{"kind": "genes", "params": {"normalisation": "none"}}]}, "normalisation is 'none'"),
        ({"builders": [{"kind": "genes", "params": {"covariates": ["response"]}}]}, "the endpoint's label"),
        ({"builders": [{"kind": "genes", "params": {"covariates": "batch"}}]}, "covariates is 'batch'"),
        (
            {"builders": [{"kind": "gene_sets", "params": {"scorer": "aucell", "scorer_params": {"top": 2}}}]},
            "top is 2",
        ),
        ({"claims": {"covariates": ["response"]}}, r"claims\.covariates names"),
        ({"endpoint": {**JOB["endpoint"], "nuisance": ["response"]}}, r"endpoint\.nuisance names"),
    ],
)
def test_impossible_values_are_refused_before_data_are_read(changes, message):
    with pytest.raises(ConfigError, match=message):
        build_candidates(JobConfig.model_validate({**JOB, **changes}))


def test_an_unknown_scorer_is_refused():
    job = {**JOB, "builders": [{"kind": "gene_sets", "params": {"scorer": "aucel"}}]}
    with pytest.raises(UnknownNameError, match="Did you mean 'aucell'"):
        build_candidates(JobConfig.model_validate(job))


def test_no_processes_at_all_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        JobConfig.model_validate({**JOB, "compute": {"workers": 0}})


def test_an_unknown_parameter_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"has no parameter 'size'\. Known: width"):
        check_params("a box", lambda width, secret: None, {"size": 1}, ("secret",))


def test_a_job_whose_label_stands_nowhere_else_passes():
    refuse_label_elsewhere(JobConfig.model_validate(JOB))

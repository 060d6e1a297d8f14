"""The section `endpoint`."""

import pytest
from pydantic import ValidationError

from responder_ml.config import JobConfig
from responder_ml.endpoint_config import EndpointConfig
from responder_ml.errors import ConfigError
from responder_ml.lock import lock
from responder_ml.replicate import CallRule, check_options
from responder_ml.sets import sets
from responder_ml.signatures import signatures


def test_short_forms_become_plain_keys_that_are_themselves_valid():
    config = EndpointConfig.model_validate(
        {
            "column": "best",
            "positive": ["CR", "PR"],
            "negative": 0,
            "nuisance": [{"name": "cage", "kind": "category"}, "rin"],
        }
    )
    assert (config.positive, config.positive_values, config.negative) == ("CR or PR", ("CR", "PR"), "0")
    assert (config.nuisance, config.kinds) == (("cage", "rin"), {"cage": "category"})
    assert EndpointConfig.model_validate(config.model_dump()) == config


def test_a_reliability_is_a_number_or_a_number_with_its_source():
    endpoint = {"column": "c", "positive": "a", "negative": "b"}
    short = EndpointConfig.model_validate({**endpoint, "reliability": 0.8})
    assert (short.reliability.value, short.reliability.source) == (0.8, None)
    whole = EndpointConfig.model_validate({**endpoint, "reliability": {"value": 1, "source": "a retest"}})
    assert (whole.reliability.value, whole.reliability.source) == (1.0, "a retest")
    assert EndpointConfig.model_validate(endpoint).reliability is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kinds": {"age": "category"}}, "age, which is not in nuisance"),
        ({"nuisance": [{"name": "age", "kind": "number"}]}, "category"),
        ({"nuisance": [{"kind": "category"}]}, "string"),
        ({"positive": []}, "string"),
        ({"reliability": 0}, "greater than 0"),
        ({"reliability": 1.01}, "less than or equal to 1"),
        ({"reliability": True}, "reliability"),
        ({"reliability": {"source": "a retest"}}, "value"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        EndpointConfig.model_validate({"column": "c", "positive": "a", "negative": "b", **changes})


OF_OTHER_KINDS = {
    "classes": ({"column": "c", "classes": ["a", "b", "d"]}, "endpoint.classes names several"),
    "score": ({"column": "c", "kind": "score"}, "A graded outcome"),
}


@pytest.mark.parametrize("kind", OF_OTHER_KINDS)
def test_what_is_made_for_two_classes_says_what_it_is_and_what_to_do(kind):
    content, words = OF_OTHER_KINDS[kind]
    endpoint = EndpointConfig.model_validate(content)
    with pytest.raises(ConfigError, match=rf"^A census needs two classes\. {words}.*endpoint\.positive"):
        endpoint.require_two_classes("A census")
    with pytest.raises(ConfigError, match=f"^{words}"):
        endpoint.require_two_classes()
    EndpointConfig.model_validate({"column": "c", "positive": "a", "negative": "b"}).require_two_classes("A census")


@pytest.mark.parametrize("kind", OF_OTHER_KINDS)
def test_every_flow_of_two_classes_refuses_others_before_anything_is_read(kind, tmp_path):
    learner = "regressors" if kind == "score" else "classifiers"
    job = JobConfig.model_validate({
        "name": "census",
        "cohort": {"source": "h5ad", "expression": str(tmp_path / "none.h5ad"), "units": "log2"},
        "endpoint": OF_OTHER_KINDS[kind][0],
        "builders": [{"kind": "genes"}],
        learner: [{"kind": "ridge" if kind == "score" else "nearest_centroid"}],
    })  # fmt: skip
    for purpose, ask in {
        "A test of gene sets": lambda: sets(job, tmp_path / "out"),
        "A comparison of signatures": lambda: signatures(job, None, tmp_path / "out"),
        "A replication of census": lambda: check_options(job, None, None, CallRule()),
        "A lock": lambda: lock(job, tmp_path),
    }.items():
        with pytest.raises(ConfigError, match=f"^{purpose} needs two classes"):
            ask()
    assert list(tmp_path.iterdir()) == []

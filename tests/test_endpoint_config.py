"""The section `endpoint`."""

import pytest
from pydantic import ValidationError

from responder_ml.endpoint_config import EndpointConfig


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

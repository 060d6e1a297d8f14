import math

import pytest

from responder_ml.tracking.items import Metric, Param, Tag, metrics, params, series, tags


def test_what_is_not_given_becomes_no_item():
    assert list(params({"a": 1, "b": None, "c": "", "d": 0})) == [Param("a", "1"), Param("d", "0")]
    assert list(tags({"a": "x", "b": None, "c": ""})) == [Tag("a", "x")]


def test_only_finite_numbers_become_metrics():
    finite = list(metrics({"a": 0.5, "b": None, "c": math.nan, "d": math.inf, "e": 0}))
    assert finite == [Metric("a", 0.5), Metric("e", 0.0)]
    assert list(series("a", [(3, 0.5), (4, math.nan)])) == [Metric("a", 0.5, 3)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.6399999999999999, 0.64),
        (0.841234567, 0.8412),
        (0.0000123456, 0.00001235),
        (-0.123456, -0.1235),
        (60.504321, 60.5043),
        (12345, 12345.0),
        (1, 1.0),
    ],
)
def test_a_metric_is_as_long_as_people_read(value, shown):
    assert next(metrics({"a": value})).value == shown

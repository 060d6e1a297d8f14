import numpy as np
import pytest
from threadpoolctl import threadpool_info

from responder_ml.search.workers import Workers


def _threads(unit):
    np.ones((2, 2)) @ np.ones((2, 2))
    return unit, max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


@pytest.mark.parametrize("count", [1, 2])
def test_units_come_back_in_order_from_single_numerical_threads(count):
    before = [library["num_threads"] for library in threadpool_info()]
    found = list(Workers(count).map(_threads, [3, 1, 2]))
    assert found == [(3, 1), (1, 1), (2, 1)]
    assert [library["num_threads"] for library in threadpool_info()] == before

import numpy as np
import pytest
from numba.core import caching

from responder_ml.statistics.compiled import compiled


def total(values):
    result = 0.0
    for value in values:
        result += value
    return result


def test_a_compiled_function_does_what_the_plain_one_does(rng):
    values = rng.normal(size=101)
    assert compiled(total)(values) == pytest.approx(total(values), abs=1e-12)


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    machine_code = compiled(total)
    assert machine_code(np.ones(3)) == 3.0
    assert not machine_code.stats.cache_path


def test_equal_columns_have_equal_sums_wherever_they_lie(rng):
    add = compiled(total)
    values = rng.normal(size=37)
    room = np.zeros(64)
    for start in range(20):
        room[start : start + 37] = values
        assert add(room[start : start + 37]) == add(values)


def test_a_cache_that_is_full_costs_the_compilation_and_nothing_else(monkeypatch):
    def double(value):
        return 2 * value

    def full(*arguments):
        raise OSError(28, "No space left on device")

    function = compiled(double)
    monkeypatch.setattr(function._cache._cache, "save_overload", full)
    assert function(21.0) == 42.0

"""A finished unit on disk: what was written comes back, and nothing else is believed."""

import fractions
import os
import pickle

import numpy as np
import pytest
from scipy import sparse

from responder_ml.search.tune import Tuned
from responder_ml.search.unit_file import read_unit, write_unit


@pytest.fixture
def unit(tmp_path):
    write_unit(tmp_path / "a.unit", "a", [1.5, "text", np.float64(0.25)])
    return tmp_path / "a.unit"


def test_a_result_comes_back(tmp_path, rng):
    table, shares = rng.normal(size=(5, 3)), sparse.csr_array(np.eye(4))
    result = (Tuned({"C": 0.5}, 0.75, (0.75,), ({"C": 0.5},)), table, np.asfortranarray(table), table[:, 1], shares)
    write_unit(tmp_path / "a.unit", "a", result)
    (tuned, *arrays, again), *_ = read_unit(tmp_path / "a.unit", "a")
    assert tuned == result[0]
    for array, expected in zip(arrays, result[1:4], strict=True):
        np.testing.assert_array_equal(array, expected)
    assert (again != shares).nnz == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.unit"]


def test_none_is_a_result_and_an_absent_file_is_not(tmp_path):
    write_unit(tmp_path / "a.unit", "a", None)
    assert read_unit(tmp_path / "a.unit", "a") == (None,)
    assert read_unit(tmp_path / "b.unit", "b") is None


def test_any_changed_byte_is_noticed(unit):
    whole = unit.read_bytes()
    for position in range(len(whole)):
        unit.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert read_unit(unit, "a") is None


def test_a_file_cut_short_empty_or_of_another_unit_is_not_believed(unit):
    whole = unit.read_bytes()
    for length in range(len(whole)):
        unit.write_bytes(whole[:length])
        assert read_unit(unit, "a") is None
    unit.write_bytes(whole)
    assert read_unit(unit, "b") is None
    assert read_unit(unit, "a") is not None


class _Harmful:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function", [os.system, eval, write_unit, pickle.loads, fractions.Fraction])
def test_a_file_of_another_origin_with_a_right_checksum_still_calls_nothing(tmp_path, function):
    write_unit(tmp_path / "a.unit", "a", _Harmful(function, "1"))
    assert read_unit(tmp_path / "a.unit", "a") is None


def test_what_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(path, content):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_unit(tmp_path / "a.unit", "a", 1)
    assert not list(tmp_path.iterdir())

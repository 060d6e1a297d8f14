"""Environment variables that hold while a call lasts."""

import os

import pytest

from responder_ml.tracking.environment import environment, unless_set


def test_variables_hold_for_the_block_and_are_put_back(monkeypatch):
    monkeypatch.setenv("RML_KNOWN", "mine")
    monkeypatch.delenv("RML_NEW", raising=False)
    values = []

    def fail_inside():
        with environment({"RML_KNOWN": "theirs", "RML_NEW": "1"}):
            values.extend([os.environ["RML_KNOWN"], os.environ["RML_NEW"]])
            raise OSError

    with pytest.raises(OSError):
        fail_inside()
    assert values == ["theirs", "1"]
    assert os.environ["RML_KNOWN"] == "mine"
    assert "RML_NEW" not in os.environ


def test_the_users_own_values_win(monkeypatch):
    monkeypatch.setenv("RML_KNOWN", "mine")
    monkeypatch.delenv("RML_NEW", raising=False)
    assert unless_set({"RML_KNOWN": "ours", "RML_NEW": "ours"}) == {"RML_KNOWN": "mine", "RML_NEW": "ours"}

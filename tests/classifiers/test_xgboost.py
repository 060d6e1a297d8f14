"""The device xgboost is asked to work on, on machines without one."""

import numpy as np
import pytest

from responder_ml.classifiers.xgboost import XGBoost, usable_device
from responder_ml.errors import ConfigError


@pytest.fixture(autouse=True)
def _without_a_gpu(monkeypatch):
    """A machine that has one is made to look like one that has none."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    usable_device.cache_clear()
    yield
    usable_device.cache_clear()


@pytest.fixture
def problem(rng):
    labels = np.array([0, 1] * 9, dtype=np.int8)
    return rng.normal(size=(18, 6)) + labels[:, None], labels


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_without_a_gpu_the_processor_grows_the_same_trees_and_nothing_is_printed(problem, device, capfd):
    X, labels = problem
    expected = XGBoost(rounds=5).fit(X, labels).decision_function(X)
    decisions = XGBoost(rounds=5, device=device).fit(X, labels).decision_function(X)
    np.testing.assert_array_equal(decisions, expected)
    assert capfd.readouterr() == ("", "")
    assert XGBoost(device=device).notes() == (
        f"device is {device}, but xgboost sees no such GPU here; the processor is used.",
    )
    assert XGBoost().notes() == ()


def test_xgboost_is_asked_once_in_a_process(problem, monkeypatch):
    import xgboost

    calls, booster = [], xgboost.Booster
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": True})
    monkeypatch.setattr(
        xgboost, "Booster", lambda settings, *rest: calls.append(settings["device"]) or booster(settings, *rest)
    )
    for _ in range(3):
        XGBoost(rounds=1, device="cuda").fit(*problem)
    assert calls == ["cuda", "cpu", "cpu", "cpu"]


def test_a_build_without_cuda_is_not_even_asked(monkeypatch):
    import xgboost

    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": False})
    monkeypatch.setattr(xgboost, "DMatrix", None)
    assert usable_device("cuda") == "cpu"


def test_a_gpu_that_xgboost_sees_is_used_and_one_that_fails_is_not(monkeypatch):
    import xgboost

    class Seen:
        def __init__(self, settings, _):
            self.device = settings["device"]

        def update(self, *_):
            if self.device == "cuda:7":
                raise xgboost.core.XGBoostError("out of memory")

        def save_config(self):
            return '{"learner": {"generic_param": {"device": "cuda:0"}}}'

    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": True})
    monkeypatch.setattr(xgboost, "Booster", Seen)
    assert XGBoost(device="cuda").notes() == ()
    assert XGBoost(device="cuda")._settings()["device"] == "cuda"
    assert usable_device("cuda:7") == "cpu"


@pytest.mark.parametrize("device", ["gpu", "cuda:", "CUDA", None])
def test_what_is_no_device_is_refused(device):
    with pytest.raises(ConfigError, match="Give cpu, cuda or cuda:NUMBER"):
        XGBoost(device=device).notes()

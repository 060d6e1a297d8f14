"""Gradient-boosted trees, through xgboost's native interface.

Whether xgboost can use a device is found out by trying it, silently and once in a process.
"""

import json
import re
from abc import abstractmethod
from functools import cache
from typing import Any

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.classifiers.classifier import Classifier
from responder_ml.classifiers.learner import Learner, Space, Target
from responder_ml.errors import ConfigError
from responder_ml.parameters import Count, NotNegative, Seed, ShareAboveZero

CPU = "cpu"

_DEVICE = re.compile(r"cpu|cuda(:\d+)?")


@cache
def usable_device(device: str) -> str:
    """Return the device, or ``cpu`` where xgboost was built without CUDA or sees no such GPU.

    Parameters
    ----------
    device
        Such as ``cuda`` or ``cuda:0``. Anything that is not a GPU is returned as it is.
    """
    if not device.startswith("cuda"):
        return device
    import xgboost

    if not xgboost.build_info().get("USE_CUDA"):
        return CPU
    # With a device it cannot use, xgboost warns and uses the processor, or raises, depending on what is missing.
    with xgboost.config_context(verbosity=0):
        try:
            matrix = xgboost.DMatrix(np.eye(2), label=np.arange(2), nthread=1)
            booster = xgboost.Booster({"device": device, "tree_method": "hist", "nthread": 1}, [matrix])
            booster.update(matrix, 0)
        except xgboost.core.XGBoostError:
            return CPU
    used_device = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    return device if str(used_device).startswith("cuda") else CPU


class BoostedTrees(Learner):
    """What boosted trees for classes and for graded outcomes share; parameters as for `XGBoost`."""

    linear = False

    def __init__(
        self,
        rounds: Count = 50,
        max_depth: Count = 2,
        learning_rate: ShareAboveZero = 0.1,
        min_child_weight: NotNegative = 0.1,
        colsample_bytree: ShareAboveZero = 0.3,
        reg_lambda: NotNegative = 1.0,
        device: str = "cpu",
        seed: Seed = 0,
    ) -> None:
        self.rounds = rounds
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.min_child_weight = min_child_weight
        self.colsample_bytree = colsample_bytree
        self.reg_lambda = reg_lambda
        self.device = device
        self.seed = seed

    def notes(self) -> tuple[str, ...]:
        """Return a sentence where xgboost cannot use the device.

        Raises
        ------
        ConfigError
            It is not the name of a device.
        """
        if not _DEVICE.fullmatch(str(self.device)):
            raise ConfigError(f"The device of xgboost is '{self.device}'. Give cpu, cuda or cuda:NUMBER.")
        if usable_device(self.device) == self.device:
            return ()
        return (f"device is {self.device}, but xgboost sees no such GPU here; the processor is used.",)

    @abstractmethod
    def _objective(self) -> dict[str, Any]:
        """Return xgboost's name of the loss, and where trees start."""

    def _grow(self, X: Floats, target: Floats) -> None:
        import xgboost

        # What `xgboost.train` does on a `QuantileDMatrix`, to the last bit, without the steps that take longer
        # than trees of tens of rows.
        matrix = xgboost.DMatrix(X, label=target.astype(np.float32), nthread=1)
        self.booster_ = xgboost.Booster(self._settings(), [matrix])
        for number in range(self.rounds):
            self.booster_.update(matrix, number)
        if self.device != CPU:
            self.booster_.set_param({"device": CPU})  # the rows to predict are in main memory

    def _margins(self, X: Floats) -> Floats:
        return np.asarray(self.booster_.inplace_predict(X, predict_type="margin"), dtype=np.float64)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the trees as xgboost's own JSON, which any later version reads."""
        state = dict(super().__getstate__())
        if "booster_" in state:
            state["booster_"] = self.booster_.save_raw("json").decode()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the trees from their JSON."""
        state = dict(state)
        if "booster_" in state:
            import xgboost

            booster = xgboost.Booster({"nthread": 1})
            booster.load_model(bytearray(state["booster_"].encode()))
            state["booster_"] = booster
        super().__setstate__(state)

    def _settings(self) -> dict[str, Any]:
        return {
            **self._objective(),
            "tree_method": "hist",
            "max_depth": self.max_depth,
            "learning_rate": self.learning_rate,
            "min_child_weight": self.min_child_weight,
            "colsample_bytree": self.colsample_bytree,
            "reg_lambda": self.reg_lambda,
            "device": usable_device(self.device),
            "seed": self.seed,
            "nthread": 1,
        }


class XGBoost(BoostedTrees, Classifier):
    """Boosted shallow trees with xgboost's histogram method on one thread.

    xgboost's own default asks for about four samples in each leaf at even odds; with tens of animals that leaves
    stumps that cannot split, so ``min_child_weight`` starts far lower here.

    Parameters
    ----------
    rounds
        Number of trees.
    max_depth
        Depth of each tree, 1 to 3 for tens of subjects.
    learning_rate
        Shrinkage of each tree.
    min_child_weight
        Least sum of second derivatives in a leaf (at most a quarter per sample).
    colsample_bytree
        Share of columns each tree sees.
    reg_lambda
        Ridge penalty on leaf weights.
    device
        ``cpu``, ``cuda`` or ``cuda:NUMBER``. Where xgboost sees no such GPU the trees are grown on the processor, and
        ``notes`` says so. Decisions are always computed on the processor. Only that fallback has been tested: no GPU
        was available. With tens of rows a GPU is not expected to be faster, and its trees need not be the processor's to
        the last bit.
    seed
        Seed of the column sampling.

    Attributes
    ----------
    booster_
        The fitted ``xgboost.Booster``.

    References
    ----------
    Chen T, Guestrin C (2016) doi:10.1145/2939672.2939785
    """

    name = "xgboost"
    summary = "boosted shallow trees; sees interactions, wants more than a dozen animals"
    reference = "doi:10.1145/2939672.2939785"

    @classmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return depth, shrinkage and leaf weight over ranges that fit tens of subjects."""
        from optuna.distributions import FloatDistribution, IntDistribution

        return {
            "max_depth": IntDistribution(1, 3),
            "learning_rate": FloatDistribution(0.03, 0.3, log=True),
            "min_child_weight": FloatDistribution(0.01, 1.0, log=True),
        }

    def _learn(self, X: Floats, target: Target) -> None:
        self._grow(X, target)

    def _decide(self, X: Floats) -> Floats:
        return self._margins(X)

    def _objective(self) -> dict[str, Any]:
        return {"objective": "binary:logistic"}

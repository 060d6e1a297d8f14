"""Whether xgboost can work where it is asked to, found out by asking it, silently and once in a process."""

import json
from functools import cache

CPU = "cpu"


@cache
def usable_device(asked: str) -> str:
    """Return the device asked for, or ``cpu`` where xgboost was built without CUDA or sees no such GPU.

    Parameters
    ----------
    asked
        Such as ``cuda`` or ``cuda:0``. Anything that is no GPU is returned as it is.
    """
    if not asked.startswith("cuda"):
        return asked
    import numpy as np
    import xgboost

    if not xgboost.build_info().get("USE_CUDA"):
        return CPU
    # Given a device it cannot use, xgboost warns and works on the processor, or raises, depending on what is missing.
    with xgboost.config_context(verbosity=0):
        try:
            matrix = xgboost.DMatrix(np.eye(2), label=np.arange(2), nthread=1)
            booster = xgboost.Booster({"device": asked, "tree_method": "hist", "nthread": 1}, [matrix])
            booster.update(matrix, 0)
        except xgboost.core.XGBoostError:
            return CPU
    found = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    return asked if str(found).startswith("cuda") else CPU

"""Logistic regression with an elastic-net penalty.

References
----------
Friedman J, Hastie T, Tibshirani R (2010) Regularization paths for generalized linear models via coordinate descent.
J Stat Softw 33(1). doi:10.18637/jss.v033.i01 (the objective)
"""

import numpy as np

from responder_ml.arrays import Floats


def elastic_logistic(X: Floats, target: Floats, C: float, l1_ratio: float) -> tuple[Floats, float]:
    """Return coefficients and intercept of logistic regression with an elastic-net penalty.

    Parameters
    ----------
    X
        Samples x features.
    target
        0.0 or 1.0, shape ``(n_samples,)``.
    C
        Inverse penalty.
    l1_ratio
        Share of the penalty that is absolute, above 0 and at most 1.
    """
    # Compiled code is slow to load, and commands that only describe a job do not need it.
    from responder_ml.classifiers.active_set_newton import active_set_newton

    theta = active_set_newton(np.ascontiguousarray(X.T), target, float(C), float(l1_ratio), 1.0 - l1_ratio)
    return theta[:-1], float(theta[-1])

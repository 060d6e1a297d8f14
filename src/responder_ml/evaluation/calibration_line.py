"""From a model's decision to a probability: a line on the log-odds scale, learnt from held-out decisions.

Decisions of a model that has learnt nothing spread as widely as those of a good one, so taken as log-odds they are far too sure of
themselves. The line is Platt's logistic regression of the training subjects' labels on their held-out decisions, with a wide normal
prior of the slope so that separated classes have a finite one. The slope is then shrunk by the share of it that chance explains,
``1 - error^2 / slope^2``: where held-out decisions hardly follow the labels, or follow them the wrong way round, it is next to zero
and every probability near the share of positives in training. ``experiments/score_calibration`` has what this gives in new samples.

The interval of a probability joins two sources of error: which subjects were in training (the outer models, each without one fold,
give a grouped jackknife) and the line itself. It holds the probability by construction.

References
----------
Platt JC (1999) Probabilistic outputs for support vector machines. In: Advances in Large Margin Classifiers, MIT Press, 61-74.
Shao J, Wu CFJ (1989) A general theory for jackknife variance estimation. doi:10.1214/aos/1176347263
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from responder_ml.arrays import Floats, Labels
from responder_ml.evaluation.calibration import in_the_large

LEVEL = 0.95
"""Of the interval of a probability."""
PRIOR_SCALE = 4.0
"""Standard deviation of the prior of the slope, in log-odds per standard deviation of the held-out decisions."""
# The slope never is zero, so that probabilities keep the order of the decisions.
_LEAST_SLOPE = 0.01


@dataclass(frozen=True)
class CalibrationLine:
    """Log-odds as a line of a model's decision, with the error of the line.

    Attributes
    ----------
    intercept, slope
        Of the line.
    intercept_variance, covariance, slope_variance
        Their errors.
    """

    intercept: float
    slope: float
    intercept_variance: float
    covariance: float
    slope_variance: float

    @classmethod
    def learn(cls, decisions: Floats, labels: Labels) -> "CalibrationLine":
        """Learn from held-out decisions, one per training subject, and 0/1 labels, both classes among them."""
        from sklearn.linear_model import LogisticRegression

        centre, scale = float(decisions.mean()), float(decisions.std())
        varies = scale > 1e-12 * max(1.0, abs(centre))
        scale = scale if varies else 1.0
        standardised = (decisions - centre) / scale
        slope = _LEAST_SLOPE
        if varies:
            fit = LogisticRegression(C=PRIOR_SCALE**2, tol=1e-9, max_iter=1000).fit(standardised[:, None], labels)
            fitted = float(fit.coef_[0, 0])
            error = _errors(standardised, float(fit.intercept_[0]), fitted)[1, 1]
            slope = max(fitted * (1.0 - error / fitted**2), _LEAST_SLOPE) if fitted > 0 else _LEAST_SLOPE
        intercept = in_the_large(slope * standardised, labels == 1)
        to_decisions = np.array([[1.0, -centre / scale], [0.0, 1.0 / scale]])
        variance = to_decisions @ _errors(standardised, intercept, slope) @ to_decisions.T
        return cls(
            intercept=intercept - slope * centre / scale,
            slope=slope / scale,
            intercept_variance=float(variance[0, 0]),
            covariance=float(variance[0, 1]),
            slope_variance=float(variance[1, 1]),
        )

    def log_odds(self, decisions: Floats) -> Floats:
        """Return calibrated log-odds."""
        return np.asarray(self.intercept + self.slope * decisions, dtype=np.float64)

    def half_width(self, decisions: Floats, without_fold: Floats) -> Floats:
        """Return half the width of the 95 % interval of calibrated log-odds.

        Parameters
        ----------
        decisions
            Of the samples, shape ``(n_samples,)``.
        without_fold
            Decisions of the models that were trained without one fold each, models x samples, at least two.
        """
        of_line = self.intercept_variance + decisions * (2 * self.covariance + decisions * self.slope_variance)
        of_training = (len(without_fold) - 1) * np.var(without_fold, axis=0) * self.slope**2
        return np.asarray(norm.ppf(0.5 + LEVEL / 2) * np.sqrt(np.maximum(of_line, 0.0) + of_training), dtype=np.float64)


def _errors(standardised: Floats, intercept: float, slope: float) -> Floats:
    """Return the covariance of the errors of intercept and slope: the inverse of the curvature of likelihood and prior."""
    design = np.column_stack([np.ones(len(standardised)), standardised])
    probability = expit(intercept + slope * standardised)
    curvature = (design * (probability * (1 - probability))[:, None]).T @ design
    curvature[1, 1] += PRIOR_SCALE**-2
    return np.asarray(np.linalg.inv(curvature), dtype=np.float64)

"""Class-conditional conformal prediction sets from held-out decisions.

A class stays in a sample's set unless the sample is stranger than all but a share alpha of the training subjects of
that class were when they were held out. Decisions come from the outer folds, the model that scores from a refit to all
subjects, so the promise holds approximately (cross-conformal) and, like every conformal promise, only for samples
exchangeable with training.

References
----------
Vovk V (2015) Cross-conformal predictors. Ann Math Artif Intell 74:9-28. doi:10.1007/s10472-013-9368-4
Sadinle M, Lei J, Wasserman L (2019) Least ambiguous set-valued classifiers. doi:10.1080/01621459.2017.1395341
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.integer]

ALPHA = 0.1
"""Share of subjects of each class whose set may miss the class."""


@dataclass(frozen=True)
class HeldOut:
    """Decisions on training subjects by models that did not see them.

    Attributes
    ----------
    positive, negative
        Log-odds of the subjects of each class (means over repeats), sorted.
    """

    positive: Floats
    negative: Floats

    @classmethod
    def of(cls, log_odds: Floats, labels: Labels) -> "HeldOut":
        """Split held-out log-odds, one per subject, by their 0/1 labels."""
        return cls(np.sort(log_odds[labels == 1]), np.sort(log_odds[labels == 0]))

    def impossible(self, alpha: float = ALPHA) -> str:
        """Return why no set of this level can be formed, or nothing where it can.

        The smallest p a class of n subjects can give is 1 / (n + 1); above alpha no class could ever be left out.
        """
        smaller = min(len(self.positive), len(self.negative))
        if 1.0 / (smaller + 1) <= alpha:
            return ""
        needed = ceil(1.0 / alpha - 1.0 - 1e-9)
        return (
            f"Prediction sets at {1 - alpha:.0%} need {needed} held-out subjects in each class, but the smaller class "
            f"has {smaller}: every set would hold both classes."
        )

    def p_values(self, log_odds: Floats) -> tuple[Floats, Floats]:
        """Return the p of the positive and of the negative class for each sample.

        ``(1 + number of held-out subjects of the class at least as strange) / (n + 1)``; strange for a positive is a
        low log-odds, for a negative a high one.
        """
        below = np.searchsorted(self.positive, log_odds, side="right").astype(np.float64)
        above = (len(self.negative) - np.searchsorted(self.negative, log_odds, side="left")).astype(np.float64)
        return (1.0 + below) / (len(self.positive) + 1.0), (1.0 + above) / (len(self.negative) + 1.0)

    def sets(self, log_odds: Floats, alpha: float = ALPHA) -> NDArray[np.bool_]:
        """Return which classes stay, samples x (positive, negative); ask `impossible` first."""
        positive, negative = self.p_values(log_odds)
        return np.column_stack([positive > alpha, negative > alpha])

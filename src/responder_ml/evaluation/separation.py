"""The test statistic: how far out-of-fold decisions separate the classes, for auto and for each of its candidates.

A permutation test may use any function of labels and data, as long as relabelled subjects go through the same one. The
AUROC within folds, which is what is estimated, is a poor one with a dozen subjects: it takes few values and ties often. The
separation is a smooth relative of it. Each subject's decisions are averaged over the repeats, and every positive is compared with
every negative subject of its cell (stratum, or stratum and batch) by ``tanh((d_i - d_j) / s)``, with ``s`` the standard deviation
of decisions within cells. Cells are weighted by the reciprocal of their size plus one, as van Elteren does. Averages over models of
different folds are barred as an estimate, since these have no common zero, but not here: relabelled subjects pay the same.

No single way to combine genes has power against every kind of difference: twenty genes miss one spread over thousands, and
thousands drown one of twenty. The test statistic is therefore the soft maximum of the separations of auto and its candidates, each
less its mean under relabelling and divided by its standard deviation there: one that is far out suffices, and several that agree
count for more than one.

References
----------
van Elteren PH (1960) On the combination of independent two-sample tests of Wilcoxon. Bull Inst Int Stat 37:351-361
Westfall PH, Young SS (1993) Resampling-Based Multiple Testing (several statistics on the same relabellings)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.evaluation.metrics import OutOfFold, auroc

STATISTIC = "soft maximum of the standardised separations of auto and its candidates"
"""Name of the test statistic."""
AUTO_AUROC = 0
"""Column of the AUROC of auto among what `measure` returns; the separations follow, auto's first."""
SOFTNESS = 3.0
"""Separations that exceed others by more than a third of a standard deviation count for more and more, but agreement counts too."""
# A separation lies between -1 and 1; a smaller spread is that of one that never varies, up to rounding.
_LEAST_SD = 1e-4


def measure(auto: OutOfFold, cells: Indices, candidates: Floats | None = None) -> Floats:
    """Return the AUROC of auto, its separation and those of its candidates, in this order.

    Parameters
    ----------
    auto
        Out-of-fold decisions of auto.
    cells
        Cell of each subject.
    candidates
        Decisions of each candidate, mean over repeats, candidates x subjects; none by default.
    """
    decisions = auto.decisions.mean(axis=0)[None]
    if candidates is not None:
        decisions = np.concatenate([decisions, candidates])
    return np.concatenate([[auroc(auto)], separations(auto.labels, decisions, cells)])


def separations(labels: Labels, decisions: Floats, cells: Indices) -> Floats:
    """Return the separation of each of several decisions, between -1 and 1; 0 where they do not vary.

    Parameters
    ----------
    labels
        0/1 per subject.
    decisions
        Log-odds, mean over repeats, ``(..., n_subjects)``.
    cells
        Cell of each subject; only subjects of one cell are compared.
    """
    positive, negative = labels == 1, labels == 0
    total = np.zeros(decisions.shape[:-1])
    squares = np.zeros(decisions.shape[:-1])
    weight, freedom = 0.0, 0
    codes = [
        code for code in np.unique(cells) if np.any(positive & (cells == code)) and np.any(negative & (cells == code))
    ]
    for code in codes:
        inside = decisions[..., cells == code]
        squares += np.sum((inside - inside.mean(axis=-1, keepdims=True)) ** 2, axis=-1)
        freedom += inside.shape[-1] - 1
    spread = np.sqrt(squares / max(freedom, 1))
    level = np.abs(decisions).max(axis=-1, initial=0.0)
    varies = spread > 1e-12 * np.maximum(level, np.finfo(float).tiny)
    unit = np.where(varies, spread, 1.0)[..., None, None]
    for code in codes:
        above, below = decisions[..., positive & (cells == code)], decisions[..., negative & (cells == code)]
        pairs = np.tanh((above[..., :, None] - below[..., None, :]) / unit)
        share = 1.0 / (above.shape[-1] + below.shape[-1] + 1.0)
        total += share * pairs.sum(axis=(-1, -2))
        weight += share * above.shape[-1] * below.shape[-1]
    return np.asarray(np.where(varies, total / max(weight, np.finfo(float).tiny), 0.0), dtype=np.float64)


@dataclass(frozen=True)
class Standard:
    """Mean and standard deviation of each separation under relabelling.

    Attributes
    ----------
    mean, sd
        Shape ``(n_separations,)``.
    """

    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, measured: Floats) -> "Standard":
        """Take the moments from the measurements of relabelled subjects, labellings x what `measure` returns."""
        own = measured[:, AUTO_AUROC + 1 :]
        return cls(own.mean(axis=0), np.maximum(own.std(axis=0), _LEAST_SD))

    def soft_maximum(self, measured: ArrayLike) -> Floats:
        """Return ``log(mean(exp(s z))) / s`` of each labelling's standardised separations z, with s `SOFTNESS`."""
        scaled = SOFTNESS * self.standardised(measured)
        total = np.logaddexp.reduce(scaled, axis=-1) - np.log(scaled.shape[-1])
        return np.asarray(total / SOFTNESS, dtype=np.float64)

    def standardised(self, measured: ArrayLike) -> Floats:
        """Return every separation less its mean over its standard deviation."""
        own = np.asarray(measured, dtype=np.float64)[..., AUTO_AUROC + 1 :]
        return np.asarray((own - self.mean) / self.sd, dtype=np.float64)

    def leading(self, measured: Floats) -> int:
        """Return which standardised separation of one labelling is the largest, 0 for auto's; the earlier of equals."""
        return int(np.argmax(np.round(self.standardised(measured), 9)))

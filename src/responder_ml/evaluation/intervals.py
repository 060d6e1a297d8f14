"""Intervals from resampling subjects.

The bootstrap redraws subjects, within each class, from the out-of-fold decisions as they are: models are not refitted. It
therefore says how much the figure would move with other animals scored by these models, conditional on the training sets.
"""

import numpy as np
from numpy.typing import NDArray

from responder_ml.evaluation.metrics import Concordance, OutOfFold, concordance
from responder_ml.statistics.seeds import generator

Floats = NDArray[np.float64]

DRAWS = 2000
LEVEL = 0.95


def auroc_interval(found: OutOfFold, seed: int) -> tuple[float, float]:
    """Return the percentile interval of the AUROC over subject bootstrap draws.

    Parameters
    ----------
    found
        Out-of-fold decisions.
    seed
        The run's seed.
    """
    return pairs_interval(concordance(found), seed)


def pairs_interval(table: Concordance, seed: int) -> tuple[float, float]:
    """Return the same for pairs of subjects that have been compared already."""
    rng = generator(seed, "bootstrap")
    positive = _weights(rng, table.right.shape[0])
    negative = _weights(rng, table.right.shape[1])
    draws = table.auroc(positive, negative)
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _weights(rng: np.random.Generator, size: int) -> Floats:
    """Return how often each of ``size`` subjects is drawn, draws x subjects."""
    return rng.multinomial(size, np.full(size, 1.0 / size), size=DRAWS).astype(np.float64)

"""A graded behaviour of simulated animals that follows their latent susceptibility; none unless a cohort asks for it.

The numbers are invented: the ratio falls with what an animal's libraries score on susceptibility less resilience, and varies beside
that by itself.
"""

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats

COLUMN = "social_interaction_ratio"
_MEAN, _SD, _LEAST = 1.1, 0.35, 0.05


def add_behaviour(
    rng: np.random.Generator, sheet: pd.DataFrame, susceptibility: Floats, strength: float | None
) -> None:
    """Write the column ``social_interaction_ratio``, one value per animal, into the sheet.

    Parameters
    ----------
    rng
        Source of every draw.
    sheet
        One row per library, with a column ``subject``; changed in place.
    susceptibility
        Latent score of each library, the mean of which over an animal's libraries counts.
    strength
        Standard deviations by which the ratio falls with one of the animals' scores, beside noise of one; with 0 the ratio is
        unrelated to expression, and with None nothing is written or drawn.
    """
    if strength is None:
        return
    animal, names = pd.factorize(sheet["subject"], sort=True)
    score = np.bincount(animal, weights=susceptibility) / np.bincount(animal)
    spread = float(score.std())
    z = (score - score.mean()) / spread if spread > 0 else np.zeros(len(names))
    latent = (rng.normal(0.0, 1.0, len(names)) - strength * z) / np.sqrt(1.0 + strength**2)
    sheet[COLUMN] = np.maximum(_MEAN + _SD * latent, _LEAST).round(3)[animal]

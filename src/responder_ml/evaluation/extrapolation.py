"""The points of a learning curve, an inverse power law through them, and where it would level off.

The band comes from reweighted subjects (Bayesian bootstrap), the same weights at all sizes, since the same subjects are decided at
all of them; deviations are widened to the width of the interval of the AUROC, whose coverage has been measured. Where the
AUROC does not rise beyond its noise, nothing is extrapolated.

References
----------
Rubin DB (1981) The Bayesian bootstrap. doi:10.1214/aos/1176345338
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.evaluation.auroc_interval import auroc_interval
from responder_ml.evaluation.metrics import OutOfFold, concordance
from responder_ml.statistics.power_law import LEAST_POINTS, PowerLaw, fit_power_law
from responder_ml.statistics.seeds import generator

WITHIN = 0.01
"""A curve has levelled off where it is this near its level."""
FARTHEST = 10
"""Sizes beyond so many times the largest are not named: no curve says anything of them."""

_DRAWS = 200
_QUANTILES = (0.025, 0.975)
# The steps of the part that is drawn beyond the largest size, in units of it.
_BEYOND = (1.25, 1.5, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class CurvePoint:
    """Models trained on so many subjects.

    Attributes
    ----------
    trained
        Mean number of subjects in a training set.
    auroc, interval
        Of the whole procedure, with its 95 % interval; not-a-number beyond the largest size.
    fitted, band
        The law and its 95 % band; not-a-number where the curve cannot be extrapolated.
    """

    trained: float
    auroc: float
    interval: tuple[float, float]
    fitted: float = float("nan")
    band: tuple[float, float] = (float("nan"), float("nan"))


@dataclass(frozen=True)
class LearningCurve:
    """The learning curve of a run.

    Attributes
    ----------
    points
        By size; those beyond the largest that was trained come last, if the curve can be extrapolated.
    notes
        Why it cannot be, and which sizes were left out; one sentence each.
    level, level_band
        AUROC at which the curve would level off, with its 95 % band; None where it cannot be extrapolated.
    levels_off_at, levels_off_band
        Training subjects from which on it is within `WITHIN` of that; infinite beyond `FARTHEST` times the largest size.
    """

    points: tuple[CurvePoint, ...]
    notes: tuple[str, ...]
    level: float | None = None
    level_band: tuple[float, float] | None = None
    levels_off_at: float | None = None
    levels_off_band: tuple[float, float] | None = None

    @property
    def sentence(self) -> str:
        """What the curve says, in words."""
        trained = [point for point in self.points if not np.isnan(point.auroc)]
        first, last = trained[0], trained[-1]
        if self.level is None or self.level_band is None or self.levels_off_at is None or self.levels_off_band is None:
            return self.notes[-1]
        rises = (
            f"With {first.trained:.0f} to {last.trained:.0f} training subjects the AUROC rises from {first.auroc:.2f} to "
            f"{last.auroc:.2f}."
        )
        low, high = self.levels_off_band
        at_least = f"beyond {FARTHEST * last.trained:.0f}" if np.isinf(low) else f"{low:.0f}"
        at_most = f"beyond {FARTHEST * last.trained:.0f}" if np.isinf(high) else f"{high:.0f}"
        if np.isinf(self.levels_off_at):
            twice = next(point for point in self.points if point.trained == 2.0 * last.trained)
            return (
                f"{rises} It has not levelled off and gives no sign where it would: with twice as many an inverse power law leads "
                f"to {twice.fitted:.2f} (95 % band {twice.band[0]:.2f} to {twice.band[1]:.2f})."
            )
        return (
            f"{rises} An inverse power law levels off at {self.level:.2f} (95 % band {self.level_band[0]:.2f} to "
            f"{self.level_band[1]:.2f}), within {WITHIN:g} of it from about {self.levels_off_at:.0f} training subjects on "
            f"({at_least} to {at_most})."
        )


def extrapolate(measured: Sequence[tuple[float, OutOfFold]], notes: Sequence[str], seed: int) -> LearningCurve:
    """Return the curve through out-of-fold decisions of several sizes.

    Parameters
    ----------
    measured
        Mean number of training subjects and the decisions, smallest first; all on the same folds.
    notes
        What is known already.
    seed
        Draws the weights of the subjects.
    """
    sizes = np.array([trained for trained, _ in measured])
    tables = [concordance(out_of_fold) for _, out_of_fold in measured]
    values = np.array([float(table.auroc()) for table in tables])
    ends = np.array([auroc_interval(out_of_fold) for _, out_of_fold in measured])
    points = [
        CurvePoint(float(size), float(value), (float(low), float(high)))
        for size, value, (low, high) in zip(sizes, values, ends, strict=True)
    ]
    if len(sizes) < LEAST_POINTS:
        why = f"The curve has {len(sizes)} sizes and cannot be extrapolated; that takes {LEAST_POINTS}."
        return LearningCurve(tuple(points), (*notes, why))
    rng = generator(seed, "learning curve", "weights")
    positive, negative = tables[0].right.shape
    weights = rng.dirichlet(np.ones(positive), _DRAWS), rng.dirichlet(np.ones(negative), _DRAWS)
    draws = np.stack([table.auroc(*weights) for table in tables], axis=1)
    low, high = np.quantile(draws, _QUANTILES, axis=0)
    width = np.maximum(high - low, np.finfo(float).eps)
    draws = values + (draws - values) * np.maximum((ends[:, 1] - ends[:, 0]) / width, 1.0)
    gain = np.quantile(draws[:, -1] - draws[:, 0], _QUANTILES[0])
    if not gain > 0:
        why = (
            f"From {sizes[0]:.0f} to {sizes[-1]:.0f} training subjects the AUROC does not rise beyond its noise "
            f"({values[0]:.2f} to {values[-1]:.2f}), so the curve cannot be extrapolated."
        )
        return LearningCurve(tuple(points), (*notes, why))
    errors = np.maximum(draws.std(axis=0), 1e-3)
    law = fit_power_law(sizes, values, errors)
    laws = [fit_power_law(sizes, np.clip(draw, 0.0, 1.0), errors) for draw in draws]
    beyond = [CurvePoint(float(step * sizes[-1]), float("nan"), (float("nan"), float("nan"))) for step in _BEYOND]
    return LearningCurve(
        tuple(_with_law(point, law, laws) for point in (*points, *beyond)),
        tuple(notes),
        law.level,
        _ends(np.array([other.level for other in laws])),
        _within_sight(law),
        _ends(np.array([_within_sight(other) for other in laws])),
    )


def _with_law(point: CurvePoint, law: PowerLaw, laws: Sequence[PowerLaw]) -> CurvePoint:
    size = np.array([point.trained])
    drawn = np.array([other.at(size)[0] for other in laws])
    return replace(point, fitted=float(law.at(size)[0]), band=_ends(drawn))


def _within_sight(law: PowerLaw) -> float:
    size = law.size_within(WITHIN)
    return size if size <= FARTHEST * law.largest else float("inf")


def _ends(values: Floats) -> tuple[float, float]:
    """Return the ends of the middle 95 %; a value that is infinite is the largest."""
    low, high = np.quantile(values, _QUANTILES, method="inverted_cdf")
    return float(low), float(high)

"""What a learning curve says, as ``result.json`` holds it; its points are a table of the run."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from responder_ml.evaluation.extrapolation import LearningCurve
from responder_ml.records.numbers import Interval, Number


class LearningCurveRecord(BaseModel):
    """AUROC of models trained on fewer subjects, and where it would level off; None where no curve was asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    sentence: str
    notes: list[str] = []
    """Sizes that were left out, and why the curve cannot be extrapolated."""
    level: Number = None
    """AUROC at which it would level off; None where it cannot be extrapolated."""
    level_ci: Interval | None = None
    levels_off_at: Number = None
    """Training subjects from which on it is within 0.01 of that; None where that is not in sight."""
    levels_off_ci: Interval | None = None
    """An end that is None is not in sight."""

    @classmethod
    def of(cls, curve: LearningCurve | None) -> Self | None:
        """Return the record of a curve."""
        if curve is None:
            return None
        return cls(
            sentence=curve.sentence,
            notes=list(curve.notes),
            level=curve.level,
            level_ci=curve.level_band,
            levels_off_at=curve.levels_off_at,
            levels_off_ci=curve.levels_off_band,
        )

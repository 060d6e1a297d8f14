"""The highest AUROC that labels of a stated reliability allow, as ``result.json`` holds it."""

from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.label_ceiling import label_ceiling
from responder_ml.records.numbers import Number


class LabelCeilingRecord(BaseModel):
    """What a predictor of the true value behind the measurement would reach, whose labels were cut from the measurement."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    auroc: Number
    reliability: float
    """Correlation of two measurements of the same subjects, as the job states it."""
    source: str | None = None
    """Where the job says that it comes from."""

    @classmethod
    def of(cls, labelled: LabelledCohort, reliability: float, source: str | None) -> Self:
        """Return the ceiling at the shares of the classes among all subjects, those within the margin of a rule included."""
        measured = len(labelled.labels) + (0 if labelled.endpoint.rule is None else len(labelled.left_out[0]))
        negative, positive = (np.bincount(labelled.labels, minlength=2) / measured).tolist()
        return cls(auroc=label_ceiling(reliability, positive, negative), reliability=reliability, source=source)

"""Samples that a run left out, as ``result.json`` holds them."""

from pydantic import BaseModel, ConfigDict

from responder_ml.cohort.exclusion import Exclusion


class LeftOutRecord(BaseModel):
    """Samples left out for one reason."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    reason: str
    value: str = ""
    """What their cell holds; empty where it is blank, or where the reason is not a cell."""
    like: str = ""
    """The value that theirs equals but for its spelling; empty if none."""
    count: int
    samples: list[str] = []

    @classmethod
    def of(cls, exclusion: Exclusion) -> "LeftOutRecord":
        """Return the record of an exclusion."""
        samples = list(exclusion.samples)
        return cls(
            reason=exclusion.reason, value=exclusion.value, like=exclusion.like, count=len(samples), samples=samples
        )

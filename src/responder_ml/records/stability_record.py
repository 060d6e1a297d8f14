"""How far the genes behind a run agree between its models, as ``result.json`` holds it."""

from pydantic import BaseModel, ConfigDict

from responder_ml.records.numbers import Interval, Number


class LeadingStability(BaseModel):
    """Nogueira's index of the genes of largest contribution in each repeat."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    nogueira: Number = None
    interval: Interval | None = None
    of: str = ""
    repeats: int = 0


class StabilityRecord(BaseModel):
    """Nogueira's index of the genes behind auto's outer models."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    nogueira: Number = None
    interval: Interval | None = None
    of: str = ""
    models: int = 0
    leading: LeadingStability = LeadingStability()

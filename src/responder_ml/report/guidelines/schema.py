"""The schema of a guideline's YAML: an item that neither a run nor its author would answer, or one asked twice, is refused."""

import re
from dataclasses import fields
from string import Formatter
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.references import WORKS

Status = Literal["filled", "not applicable", "needs author"]
AUTHOR = "Author:"
"""Begins what the author must add to an answer that a run gives in part."""
_SENTENCES = frozenset(field.name for field in fields(Facts))
_DOI = re.compile(r"10\.\d{4,9}/\S+")


class ItemRecord(BaseModel):
    """An item: its number in the guideline, what it asks for, and its answer, or what the author must say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    code: str = Field(pattern=r"^[A-Z]?\d+(\.\d+)?[a-z]?$")
    asks: str = Field(min_length=3)
    status: Status
    answer: str = Field(min_length=6)

    @model_validator(mode="after")
    def _is_answered(self) -> Self:
        unknown = self.sentences - _SENTENCES
        if unknown:
            raise ValueError(f"{self.code}: facts.py has no sentence {', '.join(sorted(unknown))}")
        if AUTHOR in self.answer and self.status != "needs author":
            raise ValueError(f"{self.code} is {self.status} and asks the author for more: its status is 'needs author'")
        if self.status == "needs author" and self.sentences and AUTHOR not in self.answer:
            raise ValueError(f"{self.code} needs the author and does not say for what: write '{AUTHOR} ...'")
        if not self.answer.rstrip().endswith((".", "?", "}")):
            raise ValueError(f"{self.code}: an answer is whole sentences")
        return self

    @property
    def sentences(self) -> set[str]:
        """Names of the sentences about a run that the answer is made of."""
        return {name for _, name, _, _ in Formatter().parse(self.answer) if name is not None}


class GuidelineRecord(BaseModel):
    """What a guideline's file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(min_length=3)
    work: str
    """Key of `WORKS`, whose entry has the guideline's DOI."""
    about: str = Field(min_length=20)
    """Whom it is for, in a sentence."""
    items: list[ItemRecord] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        codes = [item.code for item in self.items]
        repeated = sorted({code for code in codes if codes.count(code) > 1})
        if repeated:
            raise ValueError(f"{self.name} has more than one item {', '.join(repeated)}")
        if self.work not in WORKS or not _DOI.fullmatch(WORKS[self.work].doi):
            raise ValueError(f"{self.name}: references.py has no work '{self.work}' with a DOI")
        return self

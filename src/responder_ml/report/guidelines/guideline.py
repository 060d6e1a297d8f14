"""A guideline, read from its YAML file, and its items, each with an answer or a note for the author."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import yaml

from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.references import WORKS, Reference

Status = Literal["filled", "not applicable", "needs author"]


@dataclass(frozen=True)
class Item:
    """One item: its number in the guideline, what it asks for, its status, and its answer or a hint for the author."""

    code: str
    asks: str
    status: Status
    answer: str


@dataclass(frozen=True)
class Guideline:
    """A published guideline; answers in ``entries`` name sentences of `Facts` in braces."""

    name: str
    work: Reference
    entries: tuple[Item, ...]

    def items(self, facts: Facts) -> list[Item]:
        """Return the items with their answers for one run."""
        return [replace(entry, answer=entry.answer.format_map(asdict(facts))) for entry in self.entries]


def read_guideline(name: str) -> Guideline:
    """Read a guideline from its file in this folder."""
    content = yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))
    return Guideline(content["name"], WORKS[content["work"]], tuple(Item(**item) for item in content["items"]))

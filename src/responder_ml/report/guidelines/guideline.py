"""A guideline, read from its YAML file, and its items, each with an answer or a note for the author."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import yaml

from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.guidelines.schema import AUTHOR, GuidelineRecord, Status
from responder_ml.report.references import WORKS, Reference


@dataclass(frozen=True)
class Item:
    """One item: its number in the guideline, what it asks for, its status, and its answer or a hint for the author."""

    code: str
    asks: str
    status: Status
    answer: str

    @property
    def of_run(self) -> str:
        """What a run answers; empty where all is the author's to say."""
        said, _, to_add = self.answer.partition(AUTHOR)
        return "" if self.status == "needs author" and not to_add else said.strip()

    @property
    def of_author(self) -> str:
        """What the author is to add; empty where nothing is."""
        if self.status != "needs author":
            return ""
        said, _, to_add = self.answer.partition(AUTHOR)
        return (to_add or said).strip()


@dataclass(frozen=True)
class Guideline:
    """A published guideline; answers in ``entries`` name sentences of `Facts` in braces."""

    name: str
    work: Reference
    about: str
    entries: tuple[Item, ...]

    def items(self, facts: Facts) -> list[Item]:
        """Return the items with their answers for one run."""
        return [replace(entry, answer=entry.answer.format_map(asdict(facts))) for entry in self.entries]


def read_guideline(name: str) -> Guideline:
    """Read a guideline from its file in this folder."""
    content = yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))
    record = GuidelineRecord.model_validate(content)
    return Guideline(
        record.name, WORKS[record.work], record.about, tuple(Item(**item.model_dump()) for item in record.items)
    )

"""A guideline and its items, each with an answer or the person who owes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.references import Reference

Status = Literal["filled", "not applicable", "needs author"]


@dataclass(frozen=True)
class Item:
    """One item: its number in the guideline, what it asks in short, and where it stands."""

    code: str
    asks: str
    status: Status
    answer: str


@dataclass(frozen=True)
class Guideline:
    """A published guideline; ``items`` fills it for one run."""

    name: str
    work: Reference
    items: Callable[[Facts], list[Item]]


def filled(code: str, asks: str, answer: str) -> Item:
    """Return an item this run answers."""
    return Item(code, asks, "filled", answer)


def not_applicable(code: str, asks: str, why: str) -> Item:
    """Return an item that has no place in this kind of study."""
    return Item(code, asks, "not applicable", why)


def needs_author(code: str, asks: str, hint: str = "") -> Item:
    """Return an item no program can know; ``hint`` says what would answer it."""
    return Item(code, asks, "needs author", hint)

"""Samples that are left out, counted and named by reason: nobody vanishes unsaid."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.cohort.spelling import describe_difference, is_blank, looks_like, show
from responder_ml.errors import list_names

_UNS = "left_out"


@dataclass(frozen=True)
class Exclusion:
    """Samples left out for one reason.

    Attributes
    ----------
    reason
        In words, such as "response is neither responder nor non_responder".
    value
        What their cell holds; empty where it is blank, or where the reason is not a cell.
    samples
        Their names.
    like
        The value that theirs equals but for case, blanks, punctuation or letters that look alike; empty if none.
    """

    reason: str
    value: str
    samples: tuple[str, ...]
    like: str = ""

    @property
    def sentence(self) -> str:
        """Reason, value, number and names."""
        value = f": '{show(self.value)}'" if self.value else ""
        but_for = (
            f", which differs from '{self.like}' by {describe_difference(self.value, self.like)}" if self.like else ""
        )
        return f"{self.reason}{value}{but_for}: {len(self.samples)} ({list_names(self.samples, quote='')})"


def exclude_by_value(
    values: "pd.Series[Any]", samples: Sequence[str], accepted: Sequence[str], reason: str, blank: str
) -> list[Exclusion]:
    """Return who is left out because a cell holds none of the accepted words, one exclusion per value.

    Parameters
    ----------
    values
        The cells of those who are left out, blank ones included.
    samples
        Their names.
    accepted
        Words that would have kept them.
    reason, blank
        Reason for those with another value, and for those without one.
    """
    names = np.asarray(samples, dtype=object)
    words = np.array(["" if is_blank(value) else str(value) for value in values], dtype=object)
    exclusions = [
        Exclusion(reason, word, tuple(names[words == word]), looks_like(word, accepted))
        for word in sorted(set(words.tolist()) - {""})
    ]
    unnamed = tuple(names[words == ""])
    return [*exclusions, *([Exclusion(blank, "", unnamed)] if unnamed else [])]


def note_exclusions(cohort: AnnData, exclusions: Sequence[Exclusion]) -> None:
    """Add exclusions to those that a cohort carries from its files."""
    cohort.uns[_UNS] = [*cohort.uns.get(_UNS, ()), *(asdict(exclusion) for exclusion in exclusions)]


def noted_exclusions(cohort: AnnData) -> list[Exclusion]:
    """Return the exclusions that a cohort carries from its files."""
    return [_from_mapping(entry) for entry in cohort.uns.get(_UNS, ())]


def _from_mapping(entry: Mapping[str, Any]) -> Exclusion:
    return Exclusion(entry["reason"], entry["value"], tuple(entry["samples"]), entry["like"])

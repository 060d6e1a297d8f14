"""A proposed job, the reasons for it, and what the user said beforehand."""

import re
from dataclasses import dataclass, field, replace

from responder_ml.proposal.cohort_files import CohortFiles

NO_SUBJECT = "none"
"""The answer where each sample is a subject of its own."""


@dataclass(frozen=True)
class Answers:
    """What the user said beforehand; None or nothing where it is to be found or asked.

    Attributes
    ----------
    column, positive, negative
        The classes; several values of a side count as one class.
    subject
        Column of animals, donors or patients; `NO_SUBJECT` where each sample is one.
    strata, nuisance
        Columns.
    units, taken, region
        Values of the keys ``units`` and ``taken``, and of the column of regions.
    """

    column: str | None = None
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    subject: str | None = None
    strata: tuple[str, ...] | None = None
    nuisance: tuple[str, ...] | None = None
    units: str | None = None
    taken: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Proposal:
    """A proposed job.

    Attributes
    ----------
    files
        What was read.
    units, taken
        Values of these keys.
    genes_in_rows, intensities
        Whether samples are the matrix' columns; whether a copy on a log2 scale has to be read in its place.
    columns, where
        Canonical name: the sheet's name; and the rows to use.
    column, positive, negative, strata, nuisance
        The endpoint, in canonical names.
    reasons
        Why, by key; each a sentence.
    """

    files: CohortFiles
    units: str = ""
    taken: str = "unknown"
    genes_in_rows: bool = True
    intensities: bool = False
    columns: dict[str, str] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    column: str = ""
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    nuisance: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """A name for the job, from its region and class column."""
        words = "-".join([*self.where.values(), self.column])
        return re.sub(r"[^A-Za-z0-9._-]+", "_", words).strip("_-.") or "job"

    def with_reason(self, key: str, reason: str) -> "Proposal":
        """Return the proposal with one more reason."""
        return replace(self, reasons={**self.reasons, key: reason})

    def canonical(self, column: str) -> str:
        """Return the name under which a column of the sheet is used."""
        return next((new for new, old in self.columns.items() if old == column and new != "sample"), column)

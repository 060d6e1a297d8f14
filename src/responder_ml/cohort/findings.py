"""A finding of the audit: a code to look up, a severity, and one or two sentences."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """A property of a cohort that a reader of the results must know.

    Attributes
    ----------
    code
        ``RML01`` and on, one per check.
    severity
        ``info`` for information, ``warning`` if it changes how a result is to be read, ``error`` if these rows cannot answer
        the question.
    message
        What was found, and what it means or what to do.
    """

    code: str
    severity: Severity
    message: str

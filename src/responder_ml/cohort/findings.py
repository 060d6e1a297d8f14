"""What an audit says: a code to look up, how serious it is, and one sentence or two."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing about a cohort.

    Attributes
    ----------
    code
        ``RML01`` and on, one per check.
    severity
        ``info`` to be read once, ``warning`` if a result must be read in its light, ``error`` if the question cannot be
        answered with these rows.
    message
        What was found, and what it means or what to do.
    """

    code: str
    severity: Severity
    message: str

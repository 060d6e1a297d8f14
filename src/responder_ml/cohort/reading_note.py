"""What was changed, skipped or left out while a file was read, for the audit and the screen."""

from typing import Literal, NamedTuple


class ReadingNote(NamedTuple):
    """One sentence about a file.

    Attributes
    ----------
    severity
        ``info``, or ``warning`` where it changes how a result is to be read.
    message
        What was found and done.
    """

    severity: Literal["info", "warning"]
    message: str

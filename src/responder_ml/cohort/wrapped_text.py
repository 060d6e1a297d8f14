"""Text of a CSV or TSV file kept from spreadsheet programs as ``="007"``, read back as the text."""

import re

_WRAPPED = re.compile(r'="((?:[^"]|"")*)"', re.DOTALL)


def unwrap(cell: str) -> str:
    """Return the text that was wrapped, or the cell as it is."""
    found = _WRAPPED.fullmatch(cell) if cell.startswith('="') else None
    return found.group(1).replace('""', '"') if found else cell

"""Gene names a spreadsheet turned into dates or numbers, turned back where only one gene can have been meant.

Repaired are septins (``SEPT1`` to ``SEPT14``) and MARCH ubiquitin ligases (``MARCH3`` to ``MARCH11``), under the old or the new
symbol that the user's gene table has, and RIKEN clones (``2310009E13Rik``). ``1-Mar`` and ``2-Mar`` can each be two genes
(``MARCH1``, ``MARC1``), December several aliases: those are not touched.

References
----------
Zeeberg BR et al. (2004) Mistaken identifiers. BMC Bioinformatics 5:80. doi:10.1186/1471-2105-5-80
"""

import re
from collections.abc import Collection, Iterator
from datetime import date, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_DAY_FIRST = re.compile(rf"(?P<day>\d{{1,2}})-{_MONTH}(?:-\d{{2,4}})?", re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"{_MONTH}-(?P<day>\d{{1,2}})", re.IGNORECASE)
_ISO = re.compile(r"\d{4}[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})(?:[ t]00:00(?::00)?(?:\.0+)?)?", re.IGNORECASE)
_EITHER = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.]\d{2,4}")
_SERIAL = re.compile(r"\d{5}")
# Day 0 of the two ways spreadsheet programs count days.
_DAY_ZERO = (date(1899, 12, 30), date(1904, 1, 1))
_SCIENTIFIC = re.compile(r"(\d+)(?:[.,](\d+))?E\+(\d+)", re.IGNORECASE)
_RIKEN = re.compile(r"(\d{7})E(\d{2})(?:Rik)?", re.IGNORECASE)
_RIKEN_POINT = 6

# Month: old symbol, new symbol, numbers in use.
_FAMILIES = {
    3: (("MARCH", "MARCHF", range(1, 12)), ("MARC", "MTARC", range(1, 3))),
    9: (("SEPT", "SEPTIN", range(1, 15)), ("SEP", "SEP", range(15, 16))),
}


def original_of(damaged: str, known: Collection[str]) -> str | None:
    """Return the one known name that a spreadsheet makes this of, or None if there is none or more than one.

    Parameters
    ----------
    damaged
        Such as ``9-Sep``, ``2021-09-09``, ``44083`` or ``2.31E+19``.
    known
        Names of the user's gene table.

    Examples
    --------
    >>> original_of("9-Sep", {"Sept9", "March1", "Marc1"})
    'Sept9'
    >>> original_of("1-Mar", {"Sept9", "March1"}) is None
    True
    """
    scientific = _SCIENTIFIC.fullmatch(damaged)
    if scientific:
        found = [name for name in known if _is_shown_as(name, *scientific.groups())]
        return found[0] if len(found) == 1 else None
    genes = {gene for month, day in _dates(damaged) for gene in _genes_of(month, day)}
    if len(genes) != 1:
        return None
    (spellings,) = genes
    wanted = {spelling.casefold() for spelling in spellings}
    found = [name for name in known if name.casefold() in wanted]
    return found[0] if len(found) == 1 else None


def _dates(text: str) -> Iterator[tuple[int, int]]:
    """Yield every month and day the text can stand for."""
    for pattern in (_DAY_FIRST, _MONTH_FIRST, _ISO):
        match = pattern.fullmatch(text)
        if match:
            month = match["month"].lower()
            yield (_MONTHS.index(month) + 1 if month in _MONTHS else int(month)), int(match["day"])
    either = _EITHER.fullmatch(text)
    if either:
        first, second = int(either[1]), int(either[2])
        yield first, second
        yield second, first
    if _SERIAL.fullmatch(text):
        for zero in _DAY_ZERO:
            day = zero + timedelta(days=int(text))
            yield day.month, day.day


def _genes_of(month: int, day: int) -> Iterator[tuple[str, str]]:
    for old, new, numbers in _FAMILIES.get(month, ()):
        if day in numbers:
            yield f"{old}{day}", f"{new}{day}"


def _is_shown_as(name: str, whole: str, decimals: str | None, exponent: str) -> bool:
    """Tell whether a clone's name, read as a number, is shown with these digits; the point counted or not."""
    clone = _RIKEN.fullmatch(name)
    if not clone:
        return False
    shown = f"{int(clone[1]) / 10**_RIKEN_POINT:.{len(decimals or '')}f}"
    wanted = whole if decimals is None else f"{whole}.{decimals}"
    return shown == wanted and int(exponent) in (int(clone[2]), int(clone[2]) + _RIKEN_POINT)

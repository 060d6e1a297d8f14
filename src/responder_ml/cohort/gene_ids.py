"""What kind of identifiers gene names are, which ones a spreadsheet program has damaged, and what those were.

Everything here works on names alone. A damaged name is refused by default, because it is ambiguous: ``1-Mar`` and ``2-Mar``
can each be two genes (``MARCH1``, ``MARC1``), and the reliable remedy is the file the names were exported from. On request a
name is turned back where only one gene of the user's gene table can have been meant: septins (``SEPT1`` to ``SEPT14``), MARCH
ubiquitin ligases (``MARCH3`` to ``MARCH11``), both under the old or the new symbol that the table has, and RIKEN clones
(``2310009E13Rik``). December, which several aliases become, is never turned back.

References
----------
Zeeberg BR et al. (2004) Mistaken identifiers. BMC Bioinformatics 5:80. doi:10.1186/1471-2105-5-80
Ziemann M, Eren Y, El-Osta A (2016) Gene name errors are widespread in the scientific literature. Genome Biol 17:177.
doi:10.1186/s13059-016-1044-7
Abeysooriya M et al. (2021) Gene name errors: lessons not learned. PLoS Comput Biol 17:e1008984.
doi:10.1371/journal.pcbi.1008984
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from typing import Literal

from responder_ml.errors import GeneNameError, list_names

Kind = Literal["ensembl", "entrez", "symbol", "probe", "unknown"]

# Months as spreadsheet programs shorten and write them in English, German, French, Spanish, Italian and Dutch.
_WORDS_OF_MONTHS = (
    "jan january januar jänner jän janv janvier ene enero gen gennaio januari",
    "feb february februar fév févr fev février febrero febbraio februari",
    "mar march mär mrz märz mars marzo mrt maart",
    "apr april avr avril abr abril aprile",
    "may mai mayo mag maggio mei",
    "jun june juni juin junio giu giugno",
    "jul july juli juil juillet julio lug luglio",
    "aug august août aoû aout ago agosto augustus",
    "sep sept september septembre septiembre set settembre",
    "oct october okt oktober octobre octubre ott ottobre",
    "nov november novembre noviembre",
    "dec december dez dezember déc décembre dic diciembre dicembre",
)
_MONTH_OF_WORD = {word: month for month, words in enumerate(_WORDS_OF_MONTHS, start=1) for word in words.split()}
_MONTH = f"(?:{'|'.join(sorted(_MONTH_OF_WORD, key=len, reverse=True))})"
_ENGLISH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
# Words that are no gene's symbol: SET.1 is a second row of the gene SET, MARZO.1 a date.
_LONG_MONTH = f"(?:{'|'.join(word for word in _MONTH_OF_WORD if len(word) > 3 and word != 'mars')})"
# A repeated name often carries the counter that a program added to tell the copies apart.
_COUNTER = r"(?:\.\d+)?"
_DATE = re.compile(
    "|".join(
        (
            rf"\d{{1,2}}[-/](?:{_MONTH})\.?(?:[-/]\d{{2,4}})?{_COUNTER}",
            # German and Dutch: 1. Mrz, 2 sep; with a year or without.
            rf"\d{{1,2}}(?:\. ?| ){_MONTH}\.?(?: ?\d{{2,4}})?",
            rf"{_ENGLISH}-\d{{1,4}}{_COUNTER}",
            rf"{_MONTH}\.?[- ]\d{{2,4}}{_COUNTER}",
            rf"{_LONG_MONTH}[-. ]\d{{1,4}}",
            r"\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[ t]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?)?",
            rf"\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}{_COUNTER}",
        )
    ),
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"(\d+)(?:[.,](\d+))?E\+(\d+)", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_SERIAL = re.compile(r"\d{5}")
# Serial numbers of the years 1982 to 2064: nobody's spreadsheet dates lie outside.
_SERIAL_RANGE = (30_000, 60_000)

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("ensembl", re.compile(r"ENS[A-Z]*[GTP]\d{11}(?:\.\d+)?")),
    ("entrez", _DIGITS),
    ("probe", re.compile(r"ILMN_\d+|AFFX.*|A_\d+_P\d+|.+_(?:[xsairfgb]_)?[as]t", re.IGNORECASE)),
    ("symbol", re.compile(r"[A-Za-z0-9][A-Za-z0-9._()@/-]*")),
)

# For turning a name back: dates whose day and month can be read, without the counter of a repeated name.
_DAY_AND_MONTH = (
    re.compile(rf"(?P<day>\d{{1,2}})(?:[-/]|\.? ?)(?P<month>{_MONTH})\.?(?:[-/ ]\d{{2,4}})?", re.IGNORECASE),
    re.compile(rf"(?P<month>{_MONTH})\.?-(?P<day>\d{{1,2}})", re.IGNORECASE),
    re.compile(r"\d{4}[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})(?:[ t]00:00(?::00)?(?:\.0+)?)?", re.IGNORECASE),
)
_EITHER_ORDER = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.]\d{2,4}")
# Day 0 of the two ways in which spreadsheet programs count days.
_DAY_ZERO = (date(1899, 12, 30), date(1904, 1, 1))
# Month: old symbol, new symbol, numbers in use.
_GENES_OF_MONTH = {
    3: (("MARCH", "MARCHF", range(1, 12)), ("MARC", "MTARC", range(1, 3))),
    9: (("SEPT", "SEPTIN", range(1, 15)), ("SEP", "SEP", range(15, 16))),
}
_RIKEN = re.compile(r"(\d{7})E(\d{2})(?:Rik)?", re.IGNORECASE)
# Shown as a number, the seven digits of a clone's name have six decimals.
_RIKEN_DECIMALS = 6


def kind_of(names: Iterable[str]) -> Kind:
    """Guess what most names are; for messages only, never for a decision.

    Returns
    -------
    ``ensembl``, ``entrez``, ``symbol``, ``probe``, or ``unknown`` where no kind covers half of the names.
    """
    counts = Counter(_kind_of_one(name) for name in names)
    if not counts:
        return "unknown"
    kind, count = counts.most_common(1)[0]
    return kind if 2 * count >= counts.total() else "unknown"


def damaged_by_excel(names: Iterable[str]) -> list[str]:
    """Return the names that a spreadsheet program turned into dates or numbers, in their order.

    Recognised are dates in six languages (``1-Sep``, ``Sep-01``, ``1. Mrz``, ``2-sept.``, ``2019-09-01``, ``01/09/2019``), numbers
    in scientific notation (``2.31E+13``, once ``2310009E13Rik``) and, unless most names are numbers anyway (Entrez ids), the
    five-digit serial numbers that a date becomes when its cell format is lost.
    """
    names = list(names)
    numeric = sum(1 for name in names if _DIGITS.fullmatch(name))
    serials_are_odd = 2 * numeric < len(names)
    return [name for name in names if _is_damaged(name, serials_are_odd)]


def check_gene_names(names: Iterable[str], source: str) -> None:
    """Refuse gene names that are blank, damaged or not unique.

    Parameters
    ----------
    names
        Gene names of one matrix.
    source
        Where they come from, for the message.

    Raises
    ------
    GeneNameError
        With how many, which (five at most), and what to do.
    """
    names = list(names)
    blank = sum(1 for name in names if not name.strip())
    if blank:
        raise GeneNameError(f"{source}: {blank} gene(s) have no name. Name or remove them.")
    damaged = damaged_by_excel(names)
    if damaged:
        raise GeneNameError(
            f"{source}: {len(damaged)} gene name(s) were turned into dates or numbers by a spreadsheet program: "
            f"{list_names(damaged)}. They cannot be turned back safely (1-Mar can be March1 or Marc1). Export the matrix "
            "again without opening it in a spreadsheet, or import the name column as text; or name a gene table and set "
            "`genes: {map: FILE, repair: true}`, which turns back what only one gene can have been."
        )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise GeneNameError(
            f"{source}: {len(repeated)} gene name(s) occur more than once: {list_names(repeated)}. A gene has one row. "
            "Sum the counts of its rows (for log2 values keep the row with the highest mean), or use unique "
            "identifiers such as Ensembl ids; `genes: {many_to_one: sum}` does the summing."
        )


def original_of(damaged: str, known: Collection[str]) -> str | None:
    """Return the one known name that a spreadsheet program makes this of, or None if there is none or more than one.

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
        candidates = [name for name in known if _is_shown_as(name, *scientific.groups())]
        return candidates[0] if len(candidates) == 1 else None
    genes = {gene for month, day in _dates(damaged) for gene in _genes_of(month, day)}
    if len(genes) != 1:
        return None
    (spellings,) = genes
    symbols = {spelling.casefold() for spelling in spellings}
    candidates = [name for name in known if name.casefold() in symbols]
    return candidates[0] if len(candidates) == 1 else None


def _kind_of_one(name: str) -> Kind:
    for kind, pattern in _KINDS:
        if pattern.fullmatch(name):
            return kind
    return "unknown"


def _is_damaged(name: str, serials_are_odd: bool) -> bool:
    if _DATE.fullmatch(name) or _SCIENTIFIC.fullmatch(name):
        return True
    if not serials_are_odd or not _SERIAL.fullmatch(name):
        return False
    return _SERIAL_RANGE[0] <= int(name) <= _SERIAL_RANGE[1]


def _dates(text: str) -> Iterator[tuple[int, int]]:
    """Yield every month and day the text can stand for."""
    for pattern in _DAY_AND_MONTH:
        match = pattern.fullmatch(text)
        if match:
            month = match["month"].lower()
            yield _MONTH_OF_WORD.get(month) or int(month), int(match["day"])
    either_order = _EITHER_ORDER.fullmatch(text)
    if either_order:
        first, second = int(either_order[1]), int(either_order[2])
        yield first, second
        yield second, first
    if _SERIAL.fullmatch(text):
        for zero in _DAY_ZERO:
            day = zero + timedelta(days=int(text))
            yield day.month, day.day


def _genes_of(month: int, day: int) -> Iterator[tuple[str, str]]:
    """Yield the old and the new symbol of every gene that becomes this date."""
    for old, new, numbers in _GENES_OF_MONTH.get(month, ()):
        if day in numbers:
            yield f"{old}{day}", f"{new}{day}"


def _is_shown_as(name: str, integer: str, decimals: str | None, exponent: str) -> bool:
    """Tell whether a clone's name, read as a number, is shown with these digits.

    The exponent is the clone's own, or larger by the decimals.
    """
    clone = _RIKEN.fullmatch(name)
    if not clone:
        return False
    shown = f"{int(clone[1]) / 10**_RIKEN_DECIMALS:.{len(decimals or '')}f}"
    expected = integer if decimals is None else f"{integer}.{decimals}"
    return shown == expected and int(exponent) in (int(clone[2]), int(clone[2]) + _RIKEN_DECIMALS)

"""What a nuisance column means: categories, such as cage 1 to 8 or a run's date, or a measurement, such as age or RIN.

How a column is written does not say it: cages are numbered, dates are numbers in many files, and an age with a gap is read as
text. A declared kind is taken. Otherwise the column's name is asked, then its values; which was decided, and why, is in the audit.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.cohort.association import is_categorical
from responder_ml.cohort.spelling import is_blank
from responder_ml.errors import SampleSheetError, list_names

Kind = Literal["category", "measurement"]

MISSING = "(missing)"
"""Category of subjects without a value."""

_CATEGORIES = (
    "cage pen tank box litter batch plate lane run chip slide flowcell flow cell pool date day set site center centre hospital "
    "clinic lab cohort study operator experimenter technician handler surgeon sequencer instrument machine scanner rack well row "
    "column room round block group dam sire family strain kit lot wave array barcode index id code number no nr num sex gender "
    "genotype library prep preparation series session year month week arm tray shelf seq sequencing extraction dissection "
    "injection processing harvest shipment platform reader chamber arena rig collection submission bank cluster type class "
    "category bin stage step replicate repeat project panel position section race ethnicity label"
)
_MEASUREMENTS = (
    "age rin rqn din dv200 depth weight mass pmi ph size sizes reads length bmi ratio rate percent percentage pct fraction score "
    "scores dose concentration conc yield volume intensity count counts umi umis hours days weeks months years minutes hrs mins "
    "duration interval time delay latency temperature temp purity integrity quality mapped mapping aligned duplication gc content "
    "height width distance speed level levels amount value index260 a260 cells ng ug mg ml viability coverage"
)
_BATCH_WORDS = frozenset(
    (
        "batch",
        "lane",
        "run",
        "chip",
        "flowcell",
        "flow",
        "library",
        "replicate",
        "date",
        "plate",
        "index",
        "barcode",
        "seq",
    )
)
_PREPOSITIONS = ("at", "in", "of", "on", "per", "for", "from", "since", "until", "before", "after", "by", "to", "with")
_CATEGORY_WORDS, _MEASURED_WORDS = frozenset(_CATEGORIES.split()), frozenset(_MEASUREMENTS.split())
_TOKENS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
# Values that occur once are rare among categories and common among measurements.
_MOST_SINGLE = 0.25


@dataclass(frozen=True)
class NuisanceKind:
    """The kind of one column.

    Attributes
    ----------
    kind
        ``category`` or ``measurement``.
    reason
        Why, such as "by its name"; empty where it holds words, which are categories.
    """

    kind: Kind
    reason: str


def infer_kind(name: str, values: "pd.Series[Any]") -> NuisanceKind:
    """Tell what a column means.

    Parameters
    ----------
    name
        The column's name.
    values
        One value per subject, missing ones included.

    Examples
    --------
    >>> infer_kind("cage", pd.Series([1, 1, 2, 2])).kind, infer_kind("RIN", pd.Series([7.1, 8.2, 6.9])).kind
    ('category', 'measurement')
    """
    numbers = read_measurements(values)
    if numbers is None:
        return NuisanceKind("category", "")
    known = numbers[~np.isnan(numbers)]
    by_name = _kind_by_name(name)
    distinct, count = np.unique(known, return_counts=True)
    whole = bool(np.all(known == np.round(known)))
    if whole and all(_DATE.fullmatch(f"{value:.0f}") for value in distinct):
        # Where nobody shares a day there is nothing to compare within, and what is left of a date is its order.
        shared = len(distinct) < len(known)
        return NuisanceKind("category" if shared else "measurement", "its values are dates")
    if by_name == "category" and (whole or len(distinct) < len(known)):
        return NuisanceKind("category", "by its name")
    if by_name == "measurement" and len(distinct) > 2:
        return NuisanceKind("measurement", "by its name")
    if is_categorical(pd.Series(known)):
        return NuisanceKind("category", f"it has {len(distinct)} values only")
    if whole and 2 * len(distinct) <= len(known):
        is_code = distinct[0] in (0, 1) and bool(np.all(np.diff(distinct) == 1))
        if is_code or np.mean(count == 1) <= _MOST_SINGLE:
            return NuisanceKind("category", f"its {len(distinct)} whole numbers repeat")
    return NuisanceKind("measurement", f"it has {len(distinct)} different numbers")


def is_called_a_batch(name: str) -> bool:
    """Tell whether a column's name is about how a library was made, which may differ between libraries of one sample."""
    return not _BATCH_WORDS.isdisjoint(word.lower() for word in _TOKENS.findall(name))


def read_measurements(values: "pd.Series[Any]") -> Floats | None:
    """Return a column as numbers, not-a-number where it is blank; None where it holds words, dates or nothing at all."""
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return None
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype=np.float64)
        return None if np.isnan(numbers).all() else numbers
    cells = ["" if is_blank(value) else str(value).strip() for value in values]
    filled = [cell for cell in cells if cell]
    if not filled or not all(_NUMBER.fullmatch(cell) for cell in filled):
        return None
    return np.array([float(cell.replace(",", ".")) if cell else np.nan for cell in cells], dtype=np.float64)


def as_kind(values: "pd.Series[Any]", kind: Kind) -> "pd.Series[Any]":
    """Return a column as what it means: text for categories, with a word for blank cells, or numbers.

    Raises
    ------
    SampleSheetError
        A measurement holds words.
    """
    numbers = read_measurements(values)
    if kind == "measurement":
        if numbers is None:
            words = sorted({str(value) for value in values if not is_blank(value)})
            raise SampleSheetError(
                f"The nuisance '{values.name}' is declared as a measurement, but holds {list_names(words)}. Leave such cells "
                "empty, or declare `kind: category`."
            )
        return pd.Series(numbers, index=values.index, name=values.name)
    if numbers is not None and pd.api.types.is_numeric_dtype(values):
        text = [MISSING if np.isnan(number) else _as_code(number) for number in numbers]
    else:
        text = [MISSING if is_blank(value) else str(value).strip() for value in values]
    return pd.Series(text, index=values.index, name=values.name, dtype=object)


def as_subjects_category(values: "pd.Series[Any]", subject_of: Sequence[int]) -> "pd.Series[Any]":
    """Return a column as categories, a blank cell as the category of the subject's other samples."""
    words = as_kind(values, "category")
    known = words.where(words != MISSING).groupby(np.asarray(subject_of)).transform("first")
    return words.where(words != MISSING, known).fillna(MISSING)


def kinds_of(
    sheet: pd.DataFrame, nuisance: Sequence[str], declared: Mapping[str, Kind], subject_of: Sequence[int]
) -> dict[str, NuisanceKind]:
    """Return the kind of every nuisance column, from one row per subject.

    Raises
    ------
    SampleSheetError
        A column is blank throughout.
    """
    first = ~pd.Series(subject_of).duplicated().to_numpy()
    kinds = {}
    for name in nuisance:
        if all(is_blank(value) for value in sheet[name]):
            raise SampleSheetError(
                f"The nuisance column '{name}' is blank for all {len(sheet)} samples that are compared, so nothing can be held "
                "constant by it. Fill it in, or take it out of `endpoint.nuisance`."
            )
        kinds[name] = (
            NuisanceKind(declared[name], "as declared") if name in declared else infer_kind(name, sheet[name][first])
        )
    return kinds


def _kind_by_name(name: str) -> Kind | None:
    """Ask the words of a name: the one it is about, before any preposition, decides, or else any word of measurements."""
    words = [word.lower() for word in _TOKENS.findall(name) if not word.isdigit()]
    about = words
    for index, word in enumerate(words):
        if index and word in _PREPOSITIONS:
            about = words[:index]
            break
    for word in (*about[-1:], *about):
        singular = word[:-1] if word.endswith("s") and word not in _MEASURED_WORDS else word
        if word in _MEASURED_WORDS:
            return "measurement"
        if singular in _CATEGORY_WORDS and (word == about[-1] or not set(about) & _MEASURED_WORDS):
            return "category"
    return None


def _as_code(number: float) -> str:
    return f"{number:.0f}" if number == round(number) else repr(float(number))

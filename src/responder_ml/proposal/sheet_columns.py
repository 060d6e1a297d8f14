"""What a column of a sample sheet may be, by the words of its name and by its values."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

import pandas as pd

_MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "unknown", "missing", "not available", "?", "-"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def vocabulary(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


CLASS = vocabulary(
    "response responder responders respond outcome phenotype group class label labels status condition diagnosis disease stress "
    "susceptibility susceptible resilience resilient treatment training genotype case remission relapse survival"
)
SUBJECT = vocabulary("animal animals mouse mice rat rats donor patient subject subjects individual participant person")
REGION = vocabulary("region regions tissue area structure subfield organ")
STRATUM = vocabulary("drug drugs treatment therapy arm compound antidepressant medication")
NUISANCE = vocabulary(
    "batch batches cage box plate lane run chip array flowcell slide litter date rin age sex gender pmi ph site center centre "
    "instrument platform sequencer spot read operator technician experimenter cohort"
)
SEX = vocabulary("sex gender")
_OF_LIBRARY = vocabulary("library depth reads")
# Words that make a subject's property of its name: mouse_strain, patient_age, donor_sex.
_PROPERTIES = vocabulary("strain age sex gender weight group status type genotype line species date source site")
_MOST_CLASSES = 8


def words_of(name: str) -> frozenset[str]:
    """Return the words of a column's name in lower case: ``AvgSpotLen`` and ``avg_spot_len`` are three."""
    return frozenset({name.strip().lower(), *(word.lower() for word in _WORD.findall(name))})


def is_missing(cell: str) -> bool:
    """Tell whether a cell says that nothing is known."""
    return cell.strip().lower() in _MISSING


def counts(sheet: pd.DataFrame, column: str) -> Counter[str]:
    """Return how often each value occurs, most frequent first, missing ones left out."""
    return Counter(dict(Counter(cell for cell in sheet[column] if not is_missing(cell)).most_common()))


def describe_counts(values: Counter[str]) -> str:
    """Return values with their counts, eight at most."""
    shown = [f"{value} {count}" for value, count in list(values.items())[:_MOST_CLASSES]]
    return ", ".join(shown) + (", ..." if len(values) > _MOST_CLASSES else "")


def is_numeric(values: Collection[str]) -> bool:
    """Tell whether all values are numbers."""
    return bool(values) and bool(pd.to_numeric(pd.Series(list(values)), errors="coerce").notna().all())


def same_partition(sheet: pd.DataFrame, first: str, second: str) -> bool:
    """Tell whether two columns divide the rows alike, whatever their words."""
    one, other = pd.factorize(sheet[first])[0], pd.factorize(sheet[second])[0]
    return bool((one == other).all())


def named(columns: Sequence[str], words: Collection[str]) -> list[str]:
    """Return the columns with one of the words in their name, those called exactly so first."""
    matching = [name for name in columns if words_of(name) & set(words)]
    return sorted(matching, key=lambda name: name.strip().lower() not in words)


def region_columns(columns: Sequence[str]) -> list[str]:
    """Return the columns that name regions or tissues, one called region first."""
    return sorted(named(columns, REGION), key=lambda name: name.strip().lower() != "region")


def subject_columns(sheet: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the columns that name animals, donors or patients, of which each row has one."""
    usable = []
    for name in named(columns, SUBJECT):
        distinct = sheet[name].nunique()
        identifies = distinct >= max(4, len(sheet) / 12) and not any(map(is_missing, sheet[name]))
        if identifies and not words_of(name) & _PROPERTIES:
            usable.append(name)
    return usable


def repeated_names(sheet: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return other columns that may name subjects with several rows each: many values, most of which occur more than once."""
    chosen = []
    for name in columns:
        values = counts(sheet, name)
        several = sum(1 for count in values.values() if count > 1)
        many = 4 <= len(values) < len(sheet) and len(values) >= len(sheet) / 8 and 2 * several >= len(values)
        if many and sum(values.values()) == len(sheet) and not _is_measured(values) and not words_of(name) & NUISANCE:
            chosen.append(name)
    return chosen


def class_columns(sheet: pd.DataFrame, columns: Sequence[str], subjects: Sequence[str]) -> list[str]:
    """Return the columns that may hold the classes, each division of the rows once.

    A class column has two to eight values, two of them with three subjects or more, and one value per subject. Columns whose
    names speak of region, batch, sex and the like are no candidates. Those whose names speak of a class come first.
    """
    candidates: list[str] = []
    ordered = [*named(columns, CLASS), *(name for name in columns if not words_of(name) & CLASS)]
    for name in ordered:
        is_other = words_of(name) & (REGION | NUISANCE | _OF_LIBRARY) and not words_of(name) & CLASS
        if is_other or not _may_be_class(sheet, name, subjects):
            continue
        twin = next((other for other in candidates if same_partition(sheet, other, name)), None)
        if twin is None:
            candidates.append(name)
        elif is_numeric(counts(sheet, twin)) and not is_numeric(counts(sheet, name)):
            candidates[candidates.index(twin)] = name
    return candidates


def nuisance_columns(sheet: pd.DataFrame, columns: Sequence[str], n_subjects: int) -> tuple[list[str], list[str]]:
    """Return columns of batch, cage, age and the like that vary, and those that have too many values to be held constant."""
    usable: list[str] = []
    too_many: list[str] = []
    for name in columns:
        values = counts(sheet, name)
        if not words_of(name) & NUISANCE or words_of(name) & _OF_LIBRARY or len(values) < 2:
            continue
        fine = is_numeric(values) or 2 * len(values) <= n_subjects
        (usable if fine else too_many).append(name)
    return usable, too_many


def _may_be_class(sheet: pd.DataFrame, name: str, subjects: Sequence[str]) -> bool:
    values = counts(sheet, name)
    if not 2 <= len(values) <= _MOST_CLASSES or _is_measured(values):
        return False
    known = pd.DataFrame({"value": sheet[name], "subject": list(subjects)})
    known = known[~known["value"].map(is_missing)].drop_duplicates()
    return not known["subject"].duplicated().any() and int((known["value"].value_counts() >= 3).sum()) >= 2


def _is_measured(values: Collection[str]) -> bool:
    """Tell whether values are measurements: numbers, some of them not whole."""
    return is_numeric(values) and any(float(value) % 1 for value in values)

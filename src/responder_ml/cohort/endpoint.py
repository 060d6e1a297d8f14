"""The endpoint of a cohort: which rows, which two classes, which subjects, strata and nuisance columns.

The classes are two values of a column, or are derived from a measured behaviour by a cut-off; subjects within a margin
around the cut-off are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.cohort.pairs import require_whole_pairs, strata_of_pairs
from responder_ml.cohort.sample_sheet import rows_where
from responder_ml.errors import EndpointError, SampleSheetError, list_names

# 0.9 is not nearer to 1.0 than 0.1, whatever the last bit of the difference.
_ROUNDING = 1e-9
# A derived column is called after the measured one.
_SUFFIX = "_class"


@dataclass(frozen=True)
class BehaviourRule:
    """Assigns a measured value to a class.

    No cut-off here is the founding study's: which one it used could not be verified.

    Attributes
    ----------
    cut
        A value of ``cut`` or more is above.
    margin
        Values nearer to the cut than this belong to no class: on another day the animal could be on the other side.
    above
        The class that is above.
    """

    cut: float
    margin: float = 0.0
    above: Literal["positive", "negative"] = "positive"

    # Read by the configuration, which refuses keys that are none of these.
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        """Refuse a negative margin."""
        if self.margin < 0:
            raise ValueError(f"margin is {self.margin:g}, but must not be below 0")

    def is_near(self, values: Floats) -> Flags:
        """Tell which values lie within the margin."""
        return np.asarray(np.abs(values - self.cut) < self.margin - _ROUNDING, dtype=np.bool_)

    def is_positive(self, values: Floats) -> Flags:
        """Tell which values belong to the positive class, margin or not."""
        return np.asarray((values >= self.cut) == (self.above == "positive"), dtype=np.bool_)


@dataclass(frozen=True)
class Endpoint:
    """Two classes of one column.

    Parameters
    ----------
    column
        Column of the sample sheet that holds the classes, such as ``response``.
    positive, negative
        Its two values; rows with any other value are left out.
    strata
        Columns within which labels are permuted and folds balanced, such as ``drug``.
    nuisance
        Columns that must not explain the result, such as ``batch``.
    rule
        Makes the two classes from a column of numbers; None where the column holds them.
    among
        Use only rows whose column has this value, or one of a list, such as the drugs. The other rows are not of the endpoint
        but stay in the cohort, where builders find reference groups.
    library_size
        Whether, for counts, the library size is a nuisance beside these columns.
    pairs
        Column of matched pairs, each of one subject of either class, such as ``litter``; ``subject`` where one subject has
        samples of both classes, such as before and after a treatment. Labels are then exchanged within pairs.
    """

    column: str
    positive: str
    negative: str
    strata: tuple[str, ...] = ()
    nuisance: tuple[str, ...] = ()
    rule: BehaviourRule | None = None
    among: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    library_size: bool = True
    pairs: str | None = None


@dataclass(frozen=True)
class LabelledCohort:
    """The rows of one endpoint with a label per subject.

    Attributes
    ----------
    cohort
        Samples x genes, only the endpoint's rows.
    endpoint
        The classes, strata and nuisance columns.
    subjects
        Subject names, by first appearance, shape ``(n_subjects,)``; states before and after of one animal are two of them.
    subject_of
        Index into ``subjects`` for each sample, shape ``(n_samples,)``.
    labels
        1 for positive, 0 for negative, per subject, shape ``(n_subjects,)``.
    strata
        Integer code of each subject's stratum, shape ``(n_subjects,)``; all zero without strata. Pairs are strata.
    outside
        The cohort's other samples, such as control animals, x genes. None is of a subject of the endpoint: another sample
        of a held-out animal would leak information about it. Pairs have none: only members of a pair are compared.
    measured
        Column of numbers the classes were derived from, empty where they were not.
    left_out
        Subjects without a class: within the margin of the rule, and without a value.
    combined
        Names of the samples that became each row; empty where every row is one sample.
    """

    cohort: AnnData
    endpoint: Endpoint
    subjects: tuple[str, ...]
    subject_of: Indices
    labels: NDArray[np.int8]
    strata: Indices
    outside: AnnData
    measured: str = ""
    left_out: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    combined: tuple[tuple[str, ...], ...] = ()

    @property
    def n_samples(self) -> int:
        """Number of samples, also where those of a subject were combined."""
        return sum(map(len, self.combined)) or self.cohort.n_obs

    @property
    def behaviour(self) -> Floats | None:
        """The measured value of each subject, shape ``(n_subjects,)``; None where the sheet holds the classes."""
        if not self.measured:
            return None
        _, first = np.unique(self.subject_of, return_index=True)
        return _read_numbers(self.cohort.obs.iloc[first], self.measured)

    @property
    def expression(self) -> Floats:
        """Samples x genes, in the cohort's units."""
        return np.asarray(self.cohort.X, dtype=np.float64)

    @property
    def library_size(self) -> Floats | None:
        """Sum of counts of each sample, of pairs before they were compared; None for other units."""
        sums: Floats | None = self.cohort.uns.get("library_size")
        return self.expression.sum(axis=1) if self.cohort.uns.get("units") == "counts" else sums

    @property
    def genes(self) -> Strings:
        """Gene names, shape ``(n_genes,)``."""
        return np.asarray(self.cohort.var_names, dtype=str)

    @property
    def sample_labels(self) -> NDArray[np.int8]:
        """Label of each sample: its subject's, shape ``(n_samples,)``."""
        return self.labels[self.subject_of]

    @property
    def paired(self) -> bool:
        """Whether subjects are matched in pairs, whose codes ``strata`` then holds."""
        return self.endpoint.pairs is not None

    def codes(self, columns: Sequence[str]) -> Indices:
        """Return an integer code per subject for the combination of some columns (first sample of each subject)."""
        return _subject_codes(self.cohort.obs, self.subject_of, len(self.subjects), columns)


def label_cohort(cohort: AnnData, endpoint: Endpoint) -> LabelledCohort:
    """Select the endpoint's rows and label each subject.

    Raises
    ------
    SampleSheetError
        A column the endpoint names is not in the sheet.
    EndpointError
        A class does not occur, or a subject carries both classes or several strata.

    Examples
    --------
    >>> from responder_ml.cohort.simulate import simulate_cohort
    >>> cohort = simulate_cohort(seed=7, n_genes=300, regions=["PFC"])
    >>> labelled = label_cohort(cohort, Endpoint("response", "responder", "non_responder", strata=("drug",)))
    >>> len(labelled.subjects), int(labelled.labels.sum())
    (13, 6)
    """
    sheet = cohort.obs
    if endpoint.pairs is not None:
        endpoint = replace(endpoint, strata=strata_of_pairs(endpoint.pairs, endpoint.strata))
    _require_columns(sheet, (endpoint.column, *endpoint.strata, *endpoint.nuisance))
    in_scope = rows_where(sheet, endpoint.among) if endpoint.among else np.ones(len(sheet), dtype=np.bool_)
    left_out: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    measured = endpoint.column if endpoint.rule is not None else ""
    if endpoint.rule is not None:
        left_out = _left_out(sheet[in_scope], endpoint.column, endpoint.rule)
        cohort, endpoint = _with_derived_column(cohort, endpoint, endpoint.rule)
        sheet = cohort.obs
    values = sheet[endpoint.column].astype(str)
    _require_classes(values[in_scope], endpoint)
    has_class = values.isin([endpoint.positive, endpoint.negative]).to_numpy() & in_scope
    rows = cohort[has_class].copy()
    units = rows.obs["subject"].astype(str)
    if endpoint.pairs == "subject":
        units = units + " " + rows.obs[endpoint.column].astype(str)
    subject_of, names = pd.factorize(units)
    is_positive = (rows.obs[endpoint.column].astype(str) == endpoint.positive).to_numpy()
    positive_share = np.bincount(subject_of, weights=is_positive) / np.bincount(subject_of)
    mixed = [str(name) for name, share in zip(names, positive_share, strict=True) if 0 < share < 1]
    if mixed:
        raise EndpointError(
            f"{len(mixed)} subject(s) carry both '{endpoint.positive}' and '{endpoint.negative}' in "
            f"'{endpoint.column}': {', '.join(mixed[:5])}. A subject has one label; correct the sheet or narrow `where`. "
            "If these are states before and after, compare them within subjects with `endpoint.pairs: subject`."
        )
    subject_of = np.asarray(subject_of, dtype=np.intp)
    _require_one_stratum(rows.obs, endpoint.strata)
    strata = _subject_codes(rows.obs, subject_of, len(names), endpoint.strata)
    outside = ~sheet["subject"].astype(str).isin(rows.obs["subject"].astype(str)).to_numpy()
    if endpoint.pairs is not None:
        of_subjects = rows.obs.iloc[np.unique(subject_of, return_index=True)[1]]
        require_whole_pairs(of_subjects, endpoint.pairs, endpoint.column, endpoint.positive, endpoint.negative)
        outside &= False
    return LabelledCohort(
        cohort=rows,
        endpoint=endpoint,
        subjects=tuple(str(name) for name in names),
        subject_of=subject_of,
        labels=positive_share.astype(np.int8),
        strata=strata,
        outside=cohort[outside].copy(),
        measured=measured,
        left_out=left_out,
    )


def _read_numbers(sheet: pd.DataFrame, column: str) -> Floats:
    """Return a column of numbers, not-a-number where a cell is empty.

    Raises
    ------
    SampleSheetError
        A cell holds other text.
    """
    text = sheet[column].astype(object).where(sheet[column].notna(), "").astype(str).str.strip()
    values = pd.to_numeric(text.where(text != "", "nan"), errors="coerce").to_numpy(dtype=np.float64)
    not_numbers = sorted(set(text[np.isnan(values) & ~text.str.lower().isin(["", "na", "n/a", "nan"]).to_numpy()]))
    if not_numbers:
        raise SampleSheetError(
            f"`endpoint.rule` needs numbers in '{column}', but it holds {list_names(not_numbers)}. Leave such cells empty, or name "
            "another column."
        )
    return values


def derive_classes(
    sheet: pd.DataFrame, column: str, rule: BehaviourRule, positive: str, negative: str
) -> "pd.Series[str]":
    """Return each sample's class, empty within the margin and where nothing was measured.

    Raises
    ------
    SampleSheetError
        The column does not hold numbers.
    EndpointError
        A subject has two values.
    """
    values = _read_numbers(sheet, column)
    spread = pd.Series(values, index=sheet["subject"].astype(str)).groupby(level=0).agg(["min", "max"])
    mixed = spread.index[(spread["min"] != spread["max"]) & spread["min"].notna()].tolist()
    if mixed:
        raise EndpointError(
            f"{list_names(mixed)} have several values in '{column}'. A subject has one behaviour; correct the sheet."
        )
    classes = np.where(rule.is_positive(values), positive, negative).astype(object)
    classes[np.isnan(values) | rule.is_near(values)] = ""
    return pd.Series(classes, index=sheet.index, dtype=object)


def _subject_codes(sheet: pd.DataFrame, subject_of: Indices, n_subjects: int, columns: Sequence[str]) -> Indices:
    """Return one integer per subject for the combination of ``columns``, read from each subject's first sample."""
    if not columns:
        return np.zeros(n_subjects, dtype=np.intp)
    _, first = np.unique(subject_of, return_index=True)
    rows = sheet.iloc[first][list(columns)].astype(str)
    return np.asarray(pd.factorize(rows.agg("\x1f".join, axis=1), sort=True)[0], dtype=np.intp)


def _with_derived_column(cohort: AnnData, endpoint: Endpoint, rule: BehaviourRule) -> tuple[AnnData, Endpoint]:
    """Return the cohort with a column of classes beside the measured one, and the endpoint that names it."""
    name = f"{endpoint.column}{_SUFFIX}"
    if name in cohort.obs:
        raise SampleSheetError(
            f"The sample sheet already has a column '{name}'. Rename it: the rule writes its classes there."
        )
    classes = derive_classes(cohort.obs, endpoint.column, rule, endpoint.positive, endpoint.negative)
    cohort = cohort.copy()
    cohort.obs[name] = classes
    return cohort, replace(endpoint, column=name)


def _left_out(sheet: pd.DataFrame, column: str, rule: BehaviourRule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    values, subjects = _read_numbers(sheet, column), sheet["subject"].astype(str).to_numpy()
    near, unknown = subjects[rule.is_near(values)], subjects[np.isnan(values)]
    return tuple(dict.fromkeys(near.tolist())), tuple(dict.fromkeys(unknown.tolist()))


def _require_columns(sheet: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in sheet.columns]
    if missing:
        raise SampleSheetError(
            f"The endpoint needs the column(s) {', '.join(missing)}, which the sample sheet does not have. "
            f"It has: {', '.join(map(str, sheet.columns))}. Rename with `cohort.columns` or correct `endpoint`."
        )


def _require_one_stratum(sheet: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        values = sheet[column].astype(str).groupby(sheet["subject"].astype(str)).nunique()
        several = values.index[values > 1].astype(str).tolist()
        if several:
            raise EndpointError(
                f"{list_names(several)} have several values of the stratum '{column}'. A subject is of one stratum; correct the "
                "sheet, narrow `where`, or take the column out of `strata`."
            )


def _require_classes(values: "pd.Series[Any]", endpoint: Endpoint) -> None:
    present = sorted(set(values))
    for name in (endpoint.positive, endpoint.negative):
        if name not in present:
            raise EndpointError(
                f"No sample has '{name}' in '{endpoint.column}'. These values occur: {', '.join(present)}. "
                "Correct `endpoint`, or `cohort.where` if it left the class out."
            )

"""The endpoint of a cohort: which rows, which two classes, which subjects, strata and nuisance columns.

The classes are two values of a column, or are derived from a measured behaviour by a cut-off; subjects within a margin
around the cut-off are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.cohort.association import is_categorical
from responder_ml.cohort.behaviour_rule import (
    BehaviourRule,
    derive_classes,
    exclude_without_class,
    read_behaviour,
    subjects_without_class,
)
from responder_ml.cohort.blocks import Blocks
from responder_ml.cohort.class_values import exclude_other_values, find_classes, one_word
from responder_ml.cohort.endpoint_checks import require_classes, require_columns, require_one_value_each
from responder_ml.cohort.exclusion import Exclusion, noted_exclusions
from responder_ml.cohort.nuisance_kind import Kind, as_kind, as_subjects_category, kinds_of
from responder_ml.cohort.pairs import require_whole_pairs, strata_of_pairs
from responder_ml.cohort.sample_sheet import exclude_rows, rows_where
from responder_ml.cohort.subjects import in_order_of_names
from responder_ml.errors import EndpointError, SampleSheetError, list_names

# A derived column is called after the measured one.
_SUFFIX = "_class"


@dataclass(frozen=True)
class Endpoint:
    """Two classes of one column.

    Parameters
    ----------
    column
        Column of the sample sheet that holds the classes, such as ``response``.
    positive, negative
        Its two values, or names of classes of several values; rows with any other value are left out.
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
    positive_values, negative_values
        The values that a class of several consists of, such as ``CR`` and ``PR``; empty where its name is its one value.
    kinds
        What nuisance columns mean, ``category`` or ``measurement``: those declared, and in a labelled cohort all of them.
    adjust
        Covariates held constant: genes are ranked with them in the linear model, and features are what they leave. In a labelled
        cohort they are among the nuisances.
    block
        Column of blocks, such as ``cage``, whose subjects stay together in every fold; see `cohort.blocks`.
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
    positive_values: tuple[str, ...] = ()
    negative_values: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    adjust: tuple[str, ...] = ()
    block: str | None = None

    @property
    def measured(self) -> tuple[str, ...]:
        """The nuisance columns that are measurements, as far as their kinds are known."""
        return tuple(name for name, kind in self.kinds.items() if kind == "measurement")

    @property
    def class_words(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The values of the positive and of the negative class."""
        return self.positive_values or (self.positive,), self.negative_values or (self.negative,)


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
        Subject names, in their order, shape ``(n_subjects,)``; states before and after of one animal are two of them.
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
    excluded
        Samples that are not compared, by reason, in the order in which they were left out.
    kind_reasons
        Why each nuisance column is of its kind; columns of words, which need no reason, have none.
    blocks
        How the classes lie in the blocks; None without any. Where a block is the unit, ``subjects`` are blocks.
    block_of
        Block of each subject, from 0, shape ``(n_subjects,)``; None without any, and where a block is the unit.
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
    excluded: tuple[Exclusion, ...] = ()
    kind_reasons: Mapping[str, str] = field(default_factory=dict)
    blocks: Blocks | None = None
    block_of: Indices | None = None

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
        return read_behaviour(self.cohort.obs.iloc[first], self.measured)

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

    def is_category(self, column: str) -> bool:
        """Tell whether a column of the sheet holds categories: a nuisance by its kind, any other by its values."""
        kind = self.endpoint.kinds.get(column)
        return is_categorical(self.cohort.obs[column]) if kind is None else kind == "category"

    def codes(self, columns: Sequence[str]) -> Indices:
        """Return an integer code per subject for the combination of some columns (first sample of each subject)."""
        return _subject_codes(self.cohort.obs, self.subject_of, len(self.subjects), columns)


def label_cohort(cohort: AnnData, endpoint: Endpoint, *, several_regions: bool = False) -> LabelledCohort:
    """Select the endpoint's rows and label each subject.

    Samples come in the order of subject and name, and genes in that of their names: folds and ties go by it, not by files.

    Parameters
    ----------
    cohort
        Samples x genes.
    endpoint
        The question.
    several_regions
        Whether samples of a subject are of several regions, each a job of its own, in which a nuisance may differ.

    Raises
    ------
    SampleSheetError
        A column the endpoint names is not in the sheet, or is blank throughout.
    EndpointError
        A class does not occur, or a subject carries both classes, or two values of a stratum, of a category or of sex.

    Examples
    --------
    >>> from responder_ml.cohort.simulate import simulate_cohort
    >>> cohort = simulate_cohort(seed=7, n_genes=300, regions=["PFC"])
    >>> labelled = label_cohort(cohort, Endpoint("response", "responder", "non_responder", strata=("drug",)))
    >>> len(labelled.subjects), int(labelled.labels.sum())
    (13, 6)
    """
    if endpoint.pairs is not None:
        endpoint = replace(endpoint, strata=strata_of_pairs(endpoint.pairs, endpoint.strata))
    others = tuple(name for name in endpoint.adjust if name not in endpoint.nuisance)
    endpoint = replace(endpoint, nuisance=(*endpoint.nuisance, *others))
    named_block = () if endpoint.block is None else (endpoint.block,)
    require_columns(cohort.obs, (endpoint.column, *endpoint.strata, *endpoint.nuisance, *named_block))
    cohort = in_order_of_names(cohort)
    sheet, names = cohort.obs, cohort.obs_names.astype(str).tolist()
    in_scope = rows_where(sheet, endpoint.among) if endpoint.among else np.ones(len(sheet), dtype=np.bool_)
    excluded = [*noted_exclusions(cohort), *exclude_rows(sheet, endpoint.among, names, "endpoint.among")]
    left_out: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    measured = endpoint.column if endpoint.rule is not None else ""
    if endpoint.rule is not None:
        left_out = subjects_without_class(sheet[in_scope], endpoint.column, endpoint.rule)
        excluded += exclude_without_class(sheet, in_scope, endpoint.column, endpoint.rule)
        cohort, endpoint = _with_derived_column(cohort, endpoint, endpoint.rule)
        require_classes(cohort.obs[endpoint.column].astype(str)[in_scope], (endpoint.positive, endpoint.negative))
    else:
        cohort, endpoint, other_values = _with_class_names(cohort, endpoint, in_scope)
        excluded += other_values
    sheet = cohort.obs
    has_class = sheet[endpoint.column].astype(str).isin([endpoint.positive, endpoint.negative]).to_numpy() & in_scope
    rows = cohort[has_class].copy()
    units = rows.obs["subject"].astype(str)
    if endpoint.pairs == "subject":
        units = units + " " + rows.obs[endpoint.column].astype(str)
    codes, subjects = pd.factorize(units)
    is_positive = (rows.obs[endpoint.column].astype(str) == endpoint.positive).to_numpy()
    positive_share = np.bincount(codes, weights=is_positive) / np.bincount(codes)
    mixed = [str(name) for name, share in zip(subjects, positive_share, strict=True) if 0 < share < 1]
    if mixed:
        raise EndpointError(
            f"{len(mixed)} subject(s) carry both '{endpoint.positive}' and '{endpoint.negative}' in "
            f"'{endpoint.column}': {list_names(mixed, quote='')}. A subject has one label; correct the sheet or narrow `where`. "
            "If these are states before and after, compare them within subjects with `endpoint.pairs: subject`."
        )
    kinds = kinds_of(rows.obs, endpoint.nuisance, endpoint.kinds, codes.tolist())
    endpoint = replace(endpoint, kinds={name: kind.kind for name, kind in kinds.items()})
    categories = [name for name in endpoint.nuisance if endpoint.kinds[name] == "category"]
    require_one_value_each(rows.obs, units, endpoint.strata, categories, several_regions)
    for name, kind in endpoint.kinds.items():
        column = rows.obs[name]
        rows.obs[name] = as_subjects_category(column, codes) if kind == "category" else as_kind(column, kind)
    outside = ~sheet["subject"].astype(str).isin(rows.obs["subject"].astype(str)).to_numpy()
    blocks = None
    if endpoint.block is not None:
        blocks = Blocks.read(rows.obs, units, endpoint.block, is_positive.astype(np.int8))
        # What a block shares with held-out subjects would tell of them.
        outside &= ~sheet[endpoint.block].astype(str).isin(rows.obs[endpoint.block].astype(str)).to_numpy()
        if blocks.is_unit:
            units = rows.obs[endpoint.block].astype(str).str.strip()
            codes, subjects = pd.factorize(units, sort=True)
            positive_share = np.bincount(codes, weights=is_positive) / np.bincount(codes)
            require_one_value_each(rows.obs, units, endpoint.strata, (), several_regions=True)
        elif endpoint.block not in endpoint.strata:
            endpoint = replace(endpoint, strata=(*endpoint.strata, endpoint.block))
    subject_of = np.asarray(codes, dtype=np.intp)
    if endpoint.pairs is not None:
        of_subjects = rows.obs.iloc[np.unique(subject_of, return_index=True)[1]]
        require_whole_pairs(of_subjects, endpoint.pairs, endpoint.column, endpoint.positive, endpoint.negative)
        outside &= False
    rest = cohort[outside].copy()
    within = () if blocks is None or blocks.is_unit else (blocks.column,)
    return LabelledCohort(
        cohort=rows,
        endpoint=endpoint,
        subjects=tuple(str(name) for name in subjects),
        subject_of=subject_of,
        labels=positive_share.astype(np.int8),
        strata=_subject_codes(rows.obs, subject_of, len(subjects), endpoint.strata),
        outside=rest,
        measured=measured,
        left_out=left_out,
        excluded=tuple(excluded),
        kind_reasons={name: kind.reason for name, kind in kinds.items() if kind.reason},
        blocks=blocks,
        block_of=_subject_codes(rows.obs, subject_of, len(subjects), within) if within else None,
    )


def _with_class_names(
    cohort: AnnData, endpoint: Endpoint, in_scope: Flags
) -> tuple[AnnData, Endpoint, list[Exclusion]]:
    """Return cohort and endpoint with one word per class in the class column, as the sheet spells it, and who has neither."""
    column, words = endpoint.column, endpoint.class_words
    positive, negative = find_classes(cohort.obs[column][in_scope], column, *words)
    excluded = exclude_other_values(
        cohort.obs, column, (*positive, *negative), in_scope, (" or ".join(positive), " or ".join(negative))
    )
    for name, values in (("positive", positive), ("negative", negative)):
        several = len(values) > 1
        word = getattr(endpoint, name) if several else values[0]
        if several:
            cohort = cohort.copy()
            cohort.obs[column] = one_word(cohort.obs[column], values, word)
        spelt: dict[str, Any] = {name: word, f"{name}_values": values if several else ()}
        endpoint = replace(endpoint, **spelt)
    return cohort, endpoint, excluded


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

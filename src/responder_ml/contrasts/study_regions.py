"""A cohort region by region, for the claims: one row of log2 expression per subject, and the group of each subject.

Nothing is held out: the claims compare all animals of a region, and their null relabels the same rows. Normalisation and filter use
no label.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.arrays import Floats, Indices, Strings
from responder_ml.contrasts.batch_plan import plan_batch
from responder_ml.contrasts.groups import (
    CONTROL,
    NON_RESPONDER,
    RESILIENT,
    RESPONDER,
    SUSCEPTIBLE,
    VEHICLE,
    Groups,
    founding_groups,
)
from responder_ml.errors import ContrastError
from responder_ml.features.expression_filter import ExpressionFilter
from responder_ml.features.normalise import Normaliser

WHOLE_COHORT = "all samples"
"""Name of the one region of a cohort whose sheet has no column ``region``."""
_TREATMENT = ("drug", "response")


@dataclass(frozen=True)
class SheetWords:
    """What the sample sheet calls the study's groups, in its columns ``phenotype``, ``drug`` and ``response``."""

    control: str = CONTROL
    """Phenotype of animals that were not stressed."""
    resilient: str = RESILIENT
    """Phenotype of animals that withstood the stress."""
    susceptible: str = SUSCEPTIBLE
    """Phenotype of animals that did not."""
    vehicle: str = VEHICLE
    """Drug of animals that were given none."""
    responder: str = RESPONDER
    """Response of animals that a drug helped."""
    non_responder: str = NON_RESPONDER
    """Response of animals that a drug did not help."""

    # Read by the configuration, which refuses keys that are none of these.
    __pydantic_config__ = {"extra": "forbid", "use_attribute_docstrings": True}  # noqa: RUF012

    def groups(self, sheet: pd.DataFrame) -> Groups:
        """Return the group of each row of the sheet."""
        states = {self.control: CONTROL, self.resilient: RESILIENT, self.susceptible: SUSCEPTIBLE}
        outcomes = {self.responder: RESPONDER, self.non_responder: NON_RESPONDER}
        phenotype = sheet["phenotype"].astype(str)
        # A sheet of a study without treatment has neither column.
        drug = sheet["drug"].astype(str) if "drug" in sheet else pd.Series(self.vehicle, index=sheet.index)
        response = sheet["response"].astype(str) if "response" in sheet else pd.Series("", index=sheet.index)
        return founding_groups(
            phenotype.map(states).fillna("").tolist(),
            drug.tolist(),
            response.map(outcomes).fillna("").tolist(),
            vehicle=self.vehicle,
        )


@dataclass(frozen=True)
class StudyRegion:
    """One region.

    Attributes
    ----------
    name
        Region.
    expression
        Log2 expression, subjects x genes; samples of one subject are averaged.
    genes
        Names of the genes that are expressed here.
    groups
        Group of each subject.
    subjects
        Their names.
    covariates
        Subjects x covariates, None for none.
    strata
        Code per subject, None for none.
    batch
        What was done about batch without being told, in words; empty where nothing was.
    """

    name: str
    expression: Floats = field(repr=False)
    genes: Strings = field(repr=False)
    groups: Groups
    subjects: tuple[str, ...] = field(repr=False)
    covariates: Floats | None = field(repr=False, default=None)
    strata: Indices | None = field(repr=False, default=None)
    batch: str = ""


def split_regions(
    cohort: AnnData,
    words: SheetWords | None = None,
    *,
    covariates: Sequence[str] = (),
    strata: Sequence[str] = (),
    batch: Sequence[str] = (),
) -> list[StudyRegion]:
    """Return the cohort's regions in the order of the sheet, each filtered and normalised separately.

    Counts become log2 counts per million with TMM; genes expressed in too few samples of the region are left out.

    Parameters
    ----------
    cohort
        Samples x genes; ``obs`` has subject, phenotype, drug, response and, unless there is one only, region.
    words
        What the sheet calls the groups; the study's own words if absent.
    covariates
        Columns to hold constant in every linear model, such as ``batch``.
    strata
        Columns within whose combinations subjects are relabelled.
    batch
        Columns of batches to handle as each region allows, where neither covariates nor strata are given.

    Raises
    ------
    ContrastError
        The sheet lacks a column, or a subject is in two groups of one region.
    """
    sheet = cohort.obs
    require_columns(sheet, (*covariates, *strata, *batch))
    regions = sheet["region"].astype(str) if "region" in sheet else pd.Series(WHOLE_COHORT, index=sheet.index)
    return [
        _region(str(name), cohort[(regions == name).to_numpy()], words or SheetWords(), covariates, strata, batch)
        for name in pd.unique(regions)
    ]


def require_columns(sheet: pd.DataFrame, others: Sequence[str] = ()) -> None:
    """Refuse a sheet that lacks a column of the groups, unless it names no treatment at all, or one of the others named.

    Raises
    ------
    ContrastError
        It lacks one.
    """
    treatment = [name for name in _TREATMENT if name in sheet]
    required = ("phenotype", *(_TREATMENT if treatment else ()), *others)
    missing = [name for name in required if name not in sheet]
    if missing:
        raise ContrastError(
            f"The claims need the column(s) {', '.join(missing)}, which the sample sheet does not have. "
            f"It has: {', '.join(map(str, sheet.columns))}. Name them in `cohort.columns`, or correct `claims`."
        )


def _region(
    name: str,
    part: AnnData,
    words: SheetWords,
    covariates: Sequence[str],
    strata: Sequence[str],
    batch: Sequence[str],
) -> StudyRegion:
    units = str(part.uns["units"])
    values = np.asarray(part.X, dtype=np.float64)
    expressed = ExpressionFilter(units=units).fit(values)
    log2 = Normaliser(units=units).fit_transform(expressed.transform(values))
    subject_of, subjects = pd.factorize(part.obs["subject"].astype(str))
    groups = words.groups(part.obs)
    _, first = np.unique(subject_of, return_index=True)
    mixed = sorted({str(subjects[index]) for index in subject_of[groups.codes != groups.codes[first[subject_of]]]})
    if mixed:
        raise ContrastError(
            f"{name}: {', '.join(mixed[:5])} stand(s) in two groups. A subject has one phenotype, drug and response; "
            "correct the sheet."
        )
    sheet = part.obs.iloc[first]
    by_subject = Groups(groups.names, groups.codes[first])
    if batch and not covariates and not strata:
        plan = plan_batch(by_subject, sheet, batch)
        held, within, sentence = plan.covariates, plan.strata, plan.sentence
    else:
        held = _covariates(sheet, covariates, name) if covariates else None
        within, sentence = (_strata(sheet, strata) if strata else None), ""
    return StudyRegion(
        name=name,
        expression=log2 if len(first) == len(log2) else _mean_by(log2, subject_of, len(subjects)),
        genes=np.asarray(part.var_names, dtype=str)[expressed.kept_],
        groups=by_subject,
        subjects=tuple(map(str, subjects)),
        covariates=held,
        strata=within,
        batch=sentence,
    )


def _mean_by(values: Floats, subject_of: Indices, count: int) -> Floats:
    samples = (np.arange(count)[:, None] == subject_of).astype(np.float64)
    return np.asarray(samples @ values / samples.sum(axis=1, keepdims=True), dtype=np.float64)


def _covariates(sheet: pd.DataFrame, names: Sequence[str], region: str) -> Floats:
    """Return numbers as they are and, of each column of categories, indicators of all but one."""
    parts = []
    for name in names:
        values = sheet[name]
        if pd.api.types.is_numeric_dtype(values):
            parts.append(values.to_numpy(dtype=np.float64)[:, None])
        else:
            parts.append(pd.get_dummies(values.astype(str), drop_first=True).to_numpy(dtype=np.float64))
    table = np.column_stack(parts)
    if not np.isfinite(table).all():
        raise ContrastError(f"{region}: a covariate ({', '.join(names)}) is missing for a sample. Complete the sheet.")
    return np.asarray(table[:, np.ptp(table, axis=0) > 0], dtype=np.float64)


def _strata(sheet: pd.DataFrame, names: Sequence[str]) -> Indices:
    together = sheet[list(names)].astype(str).agg("\x1f".join, axis=1)
    return np.asarray(pd.factorize(together, sort=True)[0], dtype=np.intp)

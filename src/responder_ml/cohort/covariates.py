"""The covariates a job adjusts for: columns of the sheet as numbers, the same in training and when new samples are scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.nuisance_kind import MISSING, Kind, as_kind
from responder_ml.cohort.spelling import is_blank
from responder_ml.errors import EndpointError, SampleSheetError, list_names
from responder_ml.statistics.covariate_space import CovariateSpace

_WAYS_OUT = "Correct the sheet, leave samples out with `cohort.where`, or take the column out of `endpoint.adjust`."


@dataclass(frozen=True)
class Covariate:
    """One covariate, as the training samples have it.

    Attributes
    ----------
    name
        Column of the sample sheet.
    kind
        ``category``, one indicator for every level but the first, or ``measurement``, a number as it is.
    levels
        Values of a category in alphabetical order; empty for a measurement.
    least, greatest
        Range of a measurement; 0 for a category.
    markers
        Genes whose mean log2 expression the covariate is, for a class of cells; empty where the sheet holds it.
    """

    name: str
    kind: Kind
    levels: tuple[str, ...] = ()
    least: float = 0.0
    greatest: float = 0.0
    markers: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: "pd.Series[Any]", kind: Kind) -> "Covariate":
        """Take levels or range from the training samples."""
        if kind == "category":
            return cls(str(values.name), kind, tuple(sorted(set(as_kind(values, kind).astype(str)))))
        numbers = as_kind(values, kind).to_numpy(dtype=np.float64)
        return cls(str(values.name), kind, (), float(numbers.min()), float(numbers.max()))

    @property
    def width(self) -> int:
        """Number of its columns."""
        return 1 if self.kind == "measurement" else len(self.levels) - 1

    def columns(self, values: "pd.Series[Any]") -> Floats:
        """Return a column of a sheet as numbers, samples x columns.

        Raises
        ------
        SampleSheetError
            A value is missing, is no number, or is a level that no training sample has.
        """
        blank = [str(name) for name, value in values.items() if is_blank(value)]
        if blank:
            raise SampleSheetError(
                f"The covariate '{self.name}' is empty for {list_names(blank)}, and every sample needs it. Fill it in, or leave "
                "the samples out."
            )
        if self.kind == "measurement":
            return as_kind(values, self.kind).to_numpy(dtype=np.float64)[:, None]
        words = as_kind(values, self.kind).astype(str)
        unknown = sorted(set(words) - set(self.levels))
        if unknown:
            raise SampleSheetError(
                f"The covariate '{self.name}' has the value(s) {list_names(unknown)}, but training knew {', '.join(self.levels)} "
                "only: nothing was learnt about others. Correct the spelling, or train on a cohort that has them."
            )
        return np.asarray(words.to_numpy()[:, None] == np.array(self.levels[1:])[None], dtype=np.float64)

    def is_outside(self, values: "pd.Series[Any]") -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Tell which samples are outside the range of the training samples, shape ``(n_samples,)``."""
        if self.kind == "category":
            return np.zeros(len(values), dtype=np.bool_)
        numbers = as_kind(values, self.kind).to_numpy(dtype=np.float64)
        return np.asarray((numbers < self.least) | (numbers > self.greatest), dtype=np.bool_)


def covariates_of(labelled: LabelledCohort) -> tuple[Covariate, ...]:
    """Return the covariates that a labelled cohort adjusts for."""
    sheet, kinds = labelled.cohort.obs, labelled.endpoint.kinds
    return tuple(Covariate.of(sheet[name], kinds[name]) for name in labelled.endpoint.adjust)


def covariate_columns(covariates: Sequence[Covariate], sheet: pd.DataFrame) -> Floats:
    """Return the covariates of samples as numbers, samples x columns.

    Raises
    ------
    SampleSheetError
        As `Covariate.columns`, or the sheet lacks a column.
    """
    absent = [covariate.name for covariate in covariates if covariate.name not in sheet.columns]
    if absent:
        raise SampleSheetError(
            f"The covariate(s) {', '.join(absent)} are not in the sample sheet, which has: {', '.join(map(str, sheet.columns))}."
        )
    parts = [covariate.columns(sheet[covariate.name]) for covariate in covariates]
    return np.column_stack(parts) if parts else np.empty((len(sheet), 0))


def adjusted_covariates(labelled: LabelledCohort) -> Floats | None:
    """Return what features are adjusted for, samples x columns; None where nothing is."""
    if not labelled.endpoint.adjust:
        return None
    return covariate_columns(covariates_of(labelled), labelled.cohort.obs)


def check_covariates(labelled: LabelledCohort, smallest_training: int | None = None) -> None:
    """Refuse covariates that cannot be held constant, before anything is trained.

    Parameters
    ----------
    labelled
        One row per subject.
    smallest_training
        Subjects of the smallest training set, once the folds are known.

    Raises
    ------
    EndpointError
        A covariate is empty somewhere, has one value, is a combination of the others, or tells the classes by itself; or there
        are too many for the subjects.
    """
    if not labelled.endpoint.adjust:
        return
    sheet, subjects = labelled.cohort.obs, np.array(labelled.subjects)[labelled.subject_of]
    covariates = covariates_of(labelled)
    for covariate in covariates:
        values = sheet[covariate.name]
        missing = subjects[np.array([is_blank(value) or value == MISSING for value in values], dtype=np.bool_)]
        if len(missing):
            raise EndpointError(
                f"`endpoint.adjust` names '{covariate.name}', which is empty for {list_names(sorted(set(missing)))}: what is "
                f"unknown cannot be held constant. {_WAYS_OUT}"
            )
        if values.nunique() < 2:
            raise EndpointError(
                f"`endpoint.adjust` names '{covariate.name}', which is {values.iloc[0]} for every sample that is compared: there "
                "is nothing to adjust for. Take it out of `endpoint.adjust`."
            )
    columns, width = covariate_columns(covariates, sheet), sum(covariate.width for covariate in covariates)
    names = ", ".join(covariate.name for covariate in covariates)
    smallest = len(labelled.subjects) if smallest_training is None else smallest_training
    if smallest - width - 2 < 1:
        raise EndpointError(
            f"Adjusting for {names} takes {width} column(s), and with the class and an intercept that leaves nothing to estimate "
            f"variance from in a training set of {smallest} subjects: {width + 3} are needed. Adjust for fewer covariates, merge "
            "levels, or add animals."
        )
    everyone = np.ones((1, len(columns)), dtype=np.bool_)
    space = CovariateSpace.of(everyone, columns)
    if space.rank[0] < width:
        raise EndpointError(
            f"The covariates {names} have {width} columns but rank {space.rank[0]}: one is a combination of the others, such as "
            "a date and a batch. Leave one of them out of `endpoint.adjust`."
        )
    if np.ptp(space.residual(0, labelled.sample_labels[:, None].astype(np.float64))) == 0:
        raise EndpointError(
            f"{names} tell {labelled.endpoint.positive} from {labelled.endpoint.negative} without error, so nothing of the class "
            "is left once they are held constant: this design cannot separate them. Take what goes with the class out of "
            "`endpoint.adjust`, or add animals that break the association."
        )

"""The covariates of samples that are scored: from their sheet, from their markers, or on request the training mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.bundles.bundle import Bundle
from responder_ml.bundles.graded_bundle import GradedBundle
from responder_ml.cohort.nuisance_kind import as_kind
from responder_ml.errors import SampleSheetError, list_names
from responder_ml.features.normalise import log2_expression

BEYOND = "covariate"
"""Flag of a sample with a covariate outside the range of the training samples."""
AT_MEAN = (
    "Scored without covariates, as requested: features are as if every sample had the training mean of {names}, so whatever these "
    "do to expression is in the scores."
)


@dataclass(frozen=True)
class CovariateValues:
    """The covariates of some samples.

    Attributes
    ----------
    columns
        Samples x the model's covariates; None for a model that is not adjusted.
    reasons
        For each sample which covariates are outside the range of training, in words; empty where none is.
    """

    columns: Floats | None
    reasons: tuple[str, ...]


class SampleCovariates:
    """Finds the covariates of samples by name.

    Parameters
    ----------
    bundle
        The model, and what it is adjusted for.
    names
        All samples that will be scored.
    sheet
        Sample sheet under canonical names, with a column ``sample``; None where there is none.
    at_mean
        Whether the training mean stands for the covariates of every sample.

    Raises
    ------
    SampleSheetError
        The model needs covariates that the sheet does not give, or none are needed and the training mean is asked for.
    """

    def __init__(
        self,
        bundle: Bundle | GradedBundle,
        names: Sequence[str],
        sheet: pd.DataFrame | None = None,
        *,
        at_mean: bool = False,
    ) -> None:
        self._bundle, self._at_mean = bundle, at_mean
        self._sheet = pd.DataFrame(index=pd.Index(list(names), dtype=object))
        listed = [covariate.name for covariate in bundle.covariates]
        if at_mean and not listed:
            raise SampleSheetError(
                "This model is not adjusted for covariates, so there is none to do without. Leave `--without-covariates` out."
            )
        wanted = [] if at_mean else [covariate.name for covariate in bundle.covariates if not covariate.markers]
        self.note = AT_MEAN.format(names=", ".join(listed)) if at_mean else ""
        if not wanted:
            return
        remedy = (
            f"Give a sample sheet with {', '.join(wanted)} (--samples), name its columns with --columns, or score with "
            "--without-covariates, which leaves in the scores what they do to expression."
        )
        if sheet is None:
            raise SampleSheetError(
                f"This model is adjusted for {', '.join(wanted)}, which every sample needs. {remedy}"
            )
        absent = [name for name in wanted if name not in sheet.columns]
        if absent:
            raise SampleSheetError(
                f"This model is adjusted for {', '.join(absent)}, which the sample sheet does not have; it has "
                f"{', '.join(map(str, sheet.columns))}. {remedy}"
            )
        rows = sheet.assign(sample=sheet["sample"].astype(str)).drop_duplicates("sample").set_index("sample")
        unlisted = [name for name in names if name not in rows.index]
        if unlisted:
            raise SampleSheetError(
                f"The sample sheet does not list {len(unlisted)} of {len(names)} samples: {list_names(unlisted)}. {remedy}"
            )
        self._sheet = rows.loc[list(names), wanted]
        for covariate in bundle.covariates:
            if covariate.name in wanted:
                covariate.columns(self._sheet[covariate.name])

    def of(self, names: Sequence[str], filled: Floats) -> CovariateValues:
        """Return the covariates of some samples.

        Parameters
        ----------
        names
            Of the samples.
        filled
            Samples x the model's genes, in the model's units, without gaps.
        """
        bundle, nothing = self._bundle, ("",) * len(names)
        mean = bundle.model.mean_covariates
        if mean is None:
            return CovariateValues(None, nothing)
        if self._at_mean:
            return CovariateValues(np.repeat(mean, len(names), axis=0), nothing)
        sheet = self._sheet.loc[list(names)].copy()
        log2 = log2_expression(filled, bundle.units) if any(one.markers for one in bundle.covariates) else filled
        for covariate in bundle.covariates:
            if covariate.markers:
                sheet[covariate.name] = log2[:, np.isin(bundle.genes, covariate.markers)].mean(axis=1)
        parts = [covariate.columns(sheet[covariate.name]) for covariate in bundle.covariates]
        reasons: list[list[str]] = [[] for _ in names]
        for covariate in bundle.covariates:
            values = as_kind(sheet[covariate.name], covariate.kind)
            for row in np.flatnonzero(covariate.is_outside(values)):
                reasons[row].append(
                    f"{covariate.name} is {float(values.iloc[row]):.4g}, outside {covariate.least:.4g} to "
                    f"{covariate.greatest:.4g} of training"
                )
        return CovariateValues(np.column_stack(parts), tuple("; ".join(of_sample) for of_sample in reasons))

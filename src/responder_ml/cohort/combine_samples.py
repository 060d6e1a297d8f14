"""One row per subject, in the order of names: the samples of one subject are combined before anything is learnt.

A subject with five libraries would otherwise count five times in every ranking, every mean and every classifier, although it
is one animal. Combined, each subject has the same weight, whatever number of samples it has.

Counts are averaged on their own scale, which has the proportions of the summed library ("pseudobulk") at the depth of one
sample: a model also meets single samples later, and copies of a sample change nothing. Log2 values and TPM are averaged.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.arrays import Indices
from responder_ml.cohort.association import is_categorical
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.missing_values import GAPS, gaps_of
from responder_ml.cohort.nuisance_kind import is_called_a_batch
from responder_ml.errors import CohortError

# So many names of samples are joined into the name of their row; more are counted.
_MOST_NAMED = 3


def combine_samples(labelled: LabelledCohort) -> LabelledCohort:
    """Return the cohort with one row per subject, in the order of its subjects.

    Samples outside the endpoint are combined likewise where a subject has several of one kind: samples that agree in
    every column of words, nuisance columns apart. So an animal of a reference group counts once, and one whose
    tissue was taken before and after a treatment keeps both.

    Parameters
    ----------
    labelled
        With any number of samples of each subject.

    Returns
    -------
    The same subjects and labels. Where no subject has several samples, rows are only brought into the order of subjects.
    """
    names, subject_of = labelled.cohort.obs_names.astype(str), labelled.subject_of
    rows = np.arange(len(labelled.subjects))
    return replace(
        labelled,
        cohort=combine_rows(labelled.cohort, subject_of, labelled.endpoint.measured),
        subject_of=rows,
        outside=combine_outside(labelled),
        combined=tuple(tuple(names[subject_of == subject]) for subject in rows) if len(names) > len(rows) else (),
    )


def combine_outside(labelled: LabelledCohort) -> AnnData:
    """Return the samples outside the endpoint, one per subject and kind; see `combine_samples`."""
    kinds = _kinds(labelled.outside.obs, labelled.endpoint.nuisance)
    return combine_rows(labelled.outside, kinds, labelled.endpoint.measured)


def combine_replicates(cohort: AnnData, method: Literal["sum", "mean"]) -> AnnData:
    """Return the cohort with one row per subject and kind of sample, such as its region; columns of batches tell no kinds apart.

    Parameters
    ----------
    cohort
        Samples x genes, with a column ``subject``. ``uns["replicates"]`` will hold the method and the names of combined rows.
    method
        ``sum`` of counts, or ``mean``.

    Raises
    ------
    CohortError
        Values that are no counts cannot be summed.
    """
    if method == "sum" and cohort.uns.get("units") != "counts":
        raise CohortError(
            f"cohort.replicates is sum, but values are in {cohort.uns.get('units')}, which do not add up. Write `replicates: mean`."
        )
    technical = [str(name) for name in cohort.obs.columns if name != "region" and is_called_a_batch(str(name))]
    kinds = _kinds(cohort.obs, technical)
    combined = combine_rows(cohort, kinds, total=method == "sum")
    names = combined.obs_names.astype(str)[np.bincount(kinds) > 1].tolist() if len(kinds) else []
    if names:
        combined.uns["replicates"] = {"method": method, "names": names}
    return combined


def combine_rows(cohort: AnnData, group_of: Indices, measured: Collection[str] = (), total: bool = False) -> AnnData:
    """Return one row per group of samples: the mean of their values, and what their sheet has in common.

    Of a column of measurements the mean is taken; different words, or numbers that stand for categories, are joined by ``+``,
    so that a subject of two batches belongs to neither of them.

    Parameters
    ----------
    cohort
        Samples x genes.
    group_of
        Group of each sample, from 0 without gaps, shape ``(n_samples,)``.
    measured
        Columns of numbers that are measurements, however few values they have.
    total
        Whether values are summed instead.
    """
    size = np.bincount(group_of)
    order = np.argsort(group_of, kind="stable")
    if len(size) == len(group_of):
        return cohort if np.array_equal(order, np.arange(len(order))) else cohort[order].copy()
    starts = np.cumsum([0, *size[:-1]])
    values = np.add.reduceat(np.asarray(cohort.X, dtype=np.float64)[order], starts, axis=0)
    if not total:
        values /= size[:, None]
    # A mean of equal values may differ from them in its last bit, and a copy must change nothing.
    values[size == 1] = np.asarray(cohort.X, dtype=np.float64)[order[starts[size == 1]]]
    members = [order[start : start + count] for start, count in zip(starts, size, strict=True)]
    sheet = pd.DataFrame(
        {column: _combined(cohort.obs[column], members, column in measured) for column in cohort.obs.columns},
        index=pd.Index(
            [_name(cohort.obs_names[rows].astype(str).tolist()) for rows in members], name=cohort.obs.index.name
        ),
    )
    combined = AnnData(X=values, obs=sheet, var=cohort.var.copy(), uns=dict(cohort.uns))
    gaps = gaps_of(cohort)
    if gaps is not None:
        combined.layers[GAPS] = np.logical_or.reduceat(gaps[order], starts, axis=0)
    return combined


def _combined(column: "pd.Series[Any]", members: Sequence[Indices], is_measured: bool) -> list[Any]:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        differs = any(column.iloc[rows].nunique() > 1 for rows in members)
        # The mean of lanes 1 and 3 is no lane.
        if is_measured or not (differs and is_categorical(column)):
            return [_mean(column.iloc[rows]) for rows in members]
        column = column.map("{:g}".format).where(column.notna())
    return [_words(column.iloc[rows]) for rows in members]


def _mean(values: "pd.Series[Any]") -> Any:
    return float(values.mean()) if values.nunique(dropna=False) > 1 else values.iloc[0]


def _words(values: "pd.Series[Any]") -> Any:
    different = values.dropna().drop_duplicates()
    if len(different) < 2:
        return values.iloc[0] if different.empty else different.iloc[0]
    return "+".join(sorted(different.astype(str)))


def _name(samples: Sequence[str]) -> str:
    if len(samples) <= _MOST_NAMED:
        return "+".join(samples)
    return f"{samples[0]}+{len(samples) - 1} more"


def _kinds(sheet: pd.DataFrame, nuisance: Sequence[str]) -> Indices:
    """Return a number per subject and kind of sample."""
    if not len(sheet):
        return np.zeros(0, dtype=np.intp)
    telling = [
        column
        for column in sheet.columns
        # A column in which every sample has its own word names samples and tells no kinds apart.
        if column not in (*nuisance, "subject", "sample")
        and not pd.api.types.is_numeric_dtype(sheet[column])
        and sheet[column].nunique() < len(sheet)
    ]
    keys = sheet[["subject", *telling]].astype(str).agg("\x1f".join, axis=1)
    return np.asarray(pd.factorize(keys)[0], dtype=np.intp)

"""Subjects compared, composition of the groups, and findings of the audit."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from responder_ml.cohort.association import is_categorical
from responder_ml.records.run import Run
from responder_ml.report.section import Section, table

_ORDER = ("error", "warning", "info")
_WORTH_A_TABLE = ("region", "phenotype", "drug", "sex", "batch")
_MOST_VALUES = 20


class Cohort(Section):
    """Counts by class, and the audit's findings."""

    title = "Cohort and audit"
    anchor = "cohort"

    def content(self, run: Run) -> Mapping[str, Any]:
        """Return counts, groups and findings."""
        result = run.result
        return {
            "n": result.n,
            "endpoint": result.endpoint,
            "source": run.config.get("cohort", {}).get("source", "unknown"),
            "simulated": result.simulated,
            "groups": groups(run),
            "measurements": measurements(run),
            "left_out": result.left_out,
            "accepted": result.accepted,
            "findings": sorted(result.audit, key=lambda finding: _ORDER.index(finding.severity)),
        }


def groups(run: Run) -> list[dict[str, Any]]:
    """Count subjects of each class in each value of the columns that matter.

    Returns
    -------
    list
        ``name`` and ``rows`` (value, positive, negative) of each column.
    """
    sheet, tables = _labelled_sheet(run), []
    for name in _columns(run, sheet):
        values = sheet[name]
        if not is_category(run, name, values) or values.nunique() > _MOST_VALUES:
            continue
        text = as_text(values)
        counts = sheet.assign(value=text).groupby(["value", "positive"])["subject"].nunique().unstack(fill_value=0)
        counts = counts.reindex(columns=[True, False], fill_value=0)
        rows = [(str(value), int(row[True]), int(row[False])) for value, row in counts.iterrows()]
        tables.append({"name": name, "rows": rows})
    return tables


def measurements(run: Run) -> list[dict[str, Any]]:
    """Summarise nuisance measurements by class: median, lowest and highest."""
    sheet, summaries = _labelled_sheet(run), []
    for name in run.result.endpoint.nuisance:
        if name not in sheet.columns or is_category(run, name, sheet[name]):
            continue
        by_class = [pd.to_numeric(sheet[name][sheet["positive"] == positive]).dropna() for positive in (True, False)]
        if all(len(values) for values in by_class):
            summaries.append({"name": name, "classes": [(v.median(), v.min(), v.max()) for v in by_class]})
    return summaries


def is_category(run: Run, name: str, values: "pd.Series[Any]") -> bool:
    """Tell whether a column holds categories: a nuisance by the kind the run took it for, any other by its values."""
    kind = run.result.endpoint.kinds.get(name)
    return is_categorical(values) if kind is None else kind == "category"


def as_text(values: "pd.Series[Any]") -> "pd.Series[str]":
    """Return categories as text; whole numbers without decimals, missing ones named."""
    if pd.api.types.is_float_dtype(values):
        return values.map(lambda value: "not given" if pd.isna(value) else f"{value:g}")
    return values.astype(object).where(values.notna(), "not given").astype(str)


def _labelled_sheet(run: Run) -> pd.DataFrame:
    """Return the sample sheet with a column ``positive``; without rows where the sheet lacks the endpoint."""
    sheet, endpoint = table(run, "samples"), run.result.endpoint
    if endpoint.column not in sheet.columns:
        return sheet.iloc[:0].assign(positive=False)
    return sheet.assign(positive=sheet[endpoint.column].astype(str) == endpoint.positive)


def _columns(run: Run, sheet: pd.DataFrame) -> Sequence[str]:
    endpoint = run.result.endpoint
    columns = dict.fromkeys([*endpoint.strata, *endpoint.nuisance, *_WORTH_A_TABLE])
    return [name for name in columns if name in sheet.columns and name != endpoint.column and len(sheet)]

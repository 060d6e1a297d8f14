"""The null: the AUROC of the same procedure on relabelled subjects."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from responder_ml.records.result import NullRecord
from responder_ml.records.run import Run
from responder_ml.report.figures.null_distribution import null_distribution
from responder_ml.report.section import Section, table

_KINDS = {"unconditional": "strata", "conditional": "batch"}


class Null(Section):
    """The observed value among relabelled ones, with and without batch held fixed."""

    title = "Null: AUROC of relabelled subjects"
    anchor = "null"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return both nulls and their figures."""
        null = run.result.null
        if null is None or null.p_value is None:
            return (
                "The null was not run, so the AUROC cannot be compared with chance. Set null.permutations above 0 in the "
                "configuration to relabel subjects and run the whole procedure again on each relabelling."
            )
        conditional = null.conditional
        return {
            "null": null,
            "conditional": conditional,
            "strata": run.result.endpoint.strata,
            "nuisance": run.result.endpoint.nuisance,
            "alpha": run.config.get("null", {}).get("alpha"),
            "repeats": run.config.get("null", {}).get("repeats"),
            "headline": run.result.headline.auroc,
            "figure": _figure(run, "unconditional", null),
            "conditional_figure": _figure(run, "conditional", conditional) if conditional else None,
        }


def _figure(run: Run, kind: str, null: NullRecord) -> Markup | None:
    rows = table(run, "null")
    values = rows.loc[rows["kind"].astype(str).str.startswith(kind), "auroc"].to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    observed, mean = null.observed, null.null_mean
    if not len(values) or observed is None or mean is None:
        return None
    return null_distribution(f"null-{_KINDS[kind]}", values, reaching(null, len(values)), float(observed), float(mean))


def reaching(null: NullRecord, draws: int) -> int:
    """Return how many relabellings are at or above the observed value, from p.

    The record rounds the observed value, so comparing it with equal AUROCs is not exact; the count is therefore derived from p.
    p is C / B where all labellings were enumerated or the rule stopped, else (C + 1) / (B + 1).
    """
    p_value = null.p_value or 0.0
    if null.exact or null.stopped_early:
        return round(p_value * draws)
    return max(round(p_value * (draws + 1)) - 1, 0)

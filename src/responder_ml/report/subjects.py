"""Every subject's held-out prediction and how much it moves."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.records.run import Run
from responder_ml.report.figures.behaviour_scatter import behaviour_scatter
from responder_ml.report.figures.subject_spread import MOST_NAMED, subject_spread
from responder_ml.report.held_out import HeldOut, held_out
from responder_ml.report.section import Section, table


class Subjects(Section):
    """Predictions subject by subject, with their spread over repeats."""

    title = "Subjects: one by one"
    anchor = "subjects"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return the figure and the table behind it."""
        found = held_out(run)
        if found is None:
            return "Nothing was trained, so there are no held-out predictions."
        endpoint = run.result.endpoint
        return {
            "rows": _rows(found, endpoint.positive, endpoint.negative),
            "repeats": len(found.log_odds),
            "positive": endpoint.positive,
            "negative": endpoint.negative,
            "by_rank": len(found.subjects) > MOST_NAMED,
            "behaviour": _behaviour(run, found),
            "figure": subject_spread(found, endpoint.positive, endpoint.negative),
        }


def _behaviour(run: Run, found: HeldOut) -> dict[str, Any] | None:
    """Return the figure of predictions against the measured behaviour; None where classes were not derived from one."""
    behaviour = run.result.behaviour
    sheet = table(run, "samples")
    if behaviour is None or behaviour.column not in sheet:
        return None
    measured = sheet.assign(subject=sheet["subject"].astype(str)).groupby("subject")[behaviour.column].first()
    values = pd.to_numeric(measured.loc[list(found.subjects)]).to_numpy(dtype=np.float64)
    endpoint = run.result.endpoint
    figure = behaviour_scatter(found, values, behaviour, (endpoint.positive, endpoint.negative))
    return {**behaviour.model_dump(), "figure": figure}


def _rows(found: HeldOut, positive: str, negative: str) -> list[dict[str, Any]]:
    probability = found.probabilities
    mean, low, high = probability.mean(axis=0), probability.min(axis=0), probability.max(axis=0)
    above = (probability > 0.5).mean(axis=0)
    order = sorted(range(len(mean)), key=lambda i: (-int(found.labels[i]), -float(mean[i]), str(found.subjects[i])))
    return [
        {
            "subject": str(found.subjects[i]),
            "class": positive if found.labels[i] else negative,
            "mean": mean[i],
            "low": low[i],
            "high": high[i],
            "right": above[i] if found.labels[i] else 1.0 - above[i],
        }
        for i in order
    ]

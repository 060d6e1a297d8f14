"""Every subject's held-out prediction and its range over repeats."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.records.run import Run
from responder_ml.report.figures.behaviour_scatter import behaviour_scatter
from responder_ml.report.figures.subject_spread import MOST_NAMED, subject_spread
from responder_ml.report.section import Section, table
from responder_ml.report.subject_decisions import SubjectDecisions, subject_decisions
from responder_ml.report.words import spoken


class Subjects(Section):
    """Predictions subject by subject, with their spread over repeats."""

    title = "Subjects: held-out prediction of each subject"
    anchor = "subjects"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return the figure and the table behind it."""
        decisions = subject_decisions(run)
        if decisions is None:
            return "Nothing was trained, so there are no held-out predictions."
        endpoint = run.result.endpoint
        positive, negative = spoken(endpoint.positive), spoken(endpoint.negative)
        return {
            "rows": _rows(decisions, positive, negative),
            "repeats": len(decisions.log_odds),
            "positive": positive,
            "negative": negative,
            "by_rank": len(decisions.subjects) > MOST_NAMED,
            "behaviour": _behaviour(run, decisions),
            "figure": subject_spread(decisions, positive, negative),
        }


def _behaviour(run: Run, decisions: SubjectDecisions) -> dict[str, Any] | None:
    """Return the figure of predictions against the measured behaviour; None where classes were not derived from one."""
    behaviour = run.result.behaviour
    sheet = table(run, "samples")
    if behaviour is None or behaviour.column not in sheet:
        return None
    measured = sheet.assign(subject=sheet["subject"].astype(str)).groupby("subject")[behaviour.column].first()
    values = pd.to_numeric(measured.loc[list(decisions.subjects)]).to_numpy(dtype=np.float64)
    endpoint = run.result.endpoint
    figure = behaviour_scatter(decisions, values, behaviour, (spoken(endpoint.positive), spoken(endpoint.negative)))
    return {**behaviour.model_dump(), "figure": figure}


def _rows(decisions: SubjectDecisions, positive: str, negative: str) -> list[dict[str, Any]]:
    probability = decisions.probabilities
    mean, low, high = probability.mean(axis=0), probability.min(axis=0), probability.max(axis=0)
    above = (probability > 0.5).mean(axis=0)
    order = sorted(
        range(len(mean)), key=lambda i: (-int(decisions.labels[i]), -float(mean[i]), str(decisions.subjects[i]))
    )
    return [
        {
            "subject": str(decisions.subjects[i]),
            "class": positive if decisions.labels[i] else negative,
            "mean": mean[i],
            "low": low[i],
            "high": high[i],
            "right": above[i] if decisions.labels[i] else 1.0 - above[i],
        }
        for i in order
    ]

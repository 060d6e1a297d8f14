"""Calibration: whether predicted probabilities match observed frequencies."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit

from responder_ml.evaluation.calibration import LEAST_SUBJECTS
from responder_ml.records.run import Run
from responder_ml.report.figures.reliability import Groups, reliability
from responder_ml.report.section import Section
from responder_ml.report.subject_decisions import SubjectDecisions, subject_decisions

_GROUP = 10
_MOST_GROUPS = 10
_Z = 1.959963984540054


class Calibration(Section):
    """Brier score, intercept and slope, and a reliability diagram where subjects allow one."""

    title = "Calibration: reliability of the probabilities"
    anchor = "calibration"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return the estimates, and the diagram where there are enough subjects."""
        decisions = subject_decisions(run)
        if decisions is None:
            return "Nothing was trained, so there are no probabilities to evaluate."
        enough = len(decisions.subjects) >= LEAST_SUBJECTS
        return {
            "brier": run.result.headline.metric("brier"),
            "calibration": run.result.headline.calibration,
            "n": run.result.n,
            "share": float(decisions.labels.mean()),
            "least": LEAST_SUBJECTS,
            "figure": reliability(group(decisions), run.result.endpoint.positive) if enough else None,
            "positive": run.result.endpoint.positive,
        }


def group(decisions: SubjectDecisions) -> Groups:
    """Cut subjects into groups of at least 10 by mean log-odds over repeats; Wilson intervals of each share.

    References
    ----------
    Wilson EB (1927) doi:10.1080/01621459.1927.10502953
    """
    order = np.argsort(decisions.mean_log_odds, kind="stable")
    parts = np.array_split(order, min(_MOST_GROUPS, max(len(order) // _GROUP, 1)))
    probability = expit(decisions.mean_log_odds)
    share = np.array([decisions.labels[part].mean() for part in parts])
    sizes = np.array([len(part) for part in parts])
    centre = (share + _Z**2 / (2 * sizes)) / (1 + _Z**2 / sizes)
    half = _Z * np.sqrt(share * (1 - share) / sizes + _Z**2 / (4 * sizes**2)) / (1 + _Z**2 / sizes)
    # Where all or none are positive, rounding must not move an end of the interval past the share.
    low, high = np.minimum(centre - half, share), np.maximum(centre + half, share)
    return Groups(np.array([probability[part].mean() for part in parts]), share, low, high, sizes)

"""Performance on held-out subjects: discrimination, calibration, and every candidate beside their mean."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit

from responder_ml.evaluation.calibration import LEAST_SUBJECTS
from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.run import Run
from responder_ml.report.curves import average_precision_recall, average_roc
from responder_ml.report.figures.curve import Axis, unit_curve
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.figures.learning_curve import learning_curve
from responder_ml.report.figures.reliability import Groups, reliability
from responder_ml.report.section import Section, table
from responder_ml.report.subject_decisions import SubjectDecisions, subject_decisions
from responder_ml.report.words import spoken
from responder_ml.search.candidate import AUTO

_SMALLEST_GROUP = 10
_MOST_GROUPS = 10
_Z = 1.959963984540054


class Discrimination(Section):
    """Performance of the whole procedure, the combination of the candidates included, on held-out subjects."""

    title = "Discrimination: performance on held-out subjects"
    anchor = "discrimination"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return metrics and both curves."""
        decisions = subject_decisions(run)
        if decisions is None:
            return "Nothing was trained, so there are no held-out decisions to evaluate."
        endpoint, n = run.result.endpoint, run.result.n
        repeats = len(decisions.log_odds)
        roc, precision = average_roc(decisions), average_precision_recall(decisions)
        share = float(decisions.labels.mean())
        values: dict[str, Any] = {
            "headline": run.result.headline,
            "metrics": METRICS[1:],
            "endpoint": endpoint,
            "n": n,
            "share": share,
            "repeats": repeats,
            "roc": None,
            "precision_recall": None,
            "ceiling": run.result.label_ceiling,
            "learning_curve": run.result.learning_curve,
            "curve": None,
        }
        sizes = table(run, "learning_curve")
        if run.result.learning_curve is not None and len(sizes):
            values["curve"] = learning_curve(sizes, run.result.learning_curve.sentence)
        if roc is None or precision is None:
            return values
        positive, negative = spoken(endpoint.positive), spoken(endpoint.negative)
        counts = f"{n.positive} {positive} and {n.negative} {negative} subjects"
        values["roc"] = unit_curve(
            "roc",
            roc,
            Axis(
                f"false positive rate: share of {negative} called {positive}",
                f"true positive rate: share of {positive} called {positive}",
                start=0, end=1, chance="chance", closed=True,
            ),
            repeats,
            f"ROC curve of {counts}; the area under the mean curve is {roc.area:.2f}.",
        )  # fmt: skip
        values["precision_recall"] = unit_curve(
            "precision-recall",
            precision,
            Axis(
                f"recall: share of {positive} called {positive}",
                f"precision: share of those called {positive} that are {positive}",
                start=share, end=share, chance=f"chance ({share:.2f}, share of {positive})", closed=False,
            ),
            repeats,
            f"Precision against recall of {counts}; the precision expected by chance is {share:.2f}.",
        )  # fmt: skip
        return values


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
            "figure": reliability(group(decisions), spoken(run.result.endpoint.positive)) if enough else None,
            "positive": run.result.endpoint.positive,
        }


def group(decisions: SubjectDecisions) -> Groups:
    """Cut subjects into groups of at least 10 by mean log-odds over repeats; Wilson intervals of each share.

    References
    ----------
    Wilson EB (1927) doi:10.1080/01621459.1927.10502953
    """
    order = np.argsort(decisions.mean_log_odds, kind="stable")
    parts = np.array_split(order, min(_MOST_GROUPS, max(len(order) // _SMALLEST_GROUP, 1)))
    probability = expit(decisions.mean_log_odds)
    share = np.array([decisions.labels[part].mean() for part in parts])
    sizes = np.array([len(part) for part in parts])
    centre = (share + _Z**2 / (2 * sizes)) / (1 + _Z**2 / sizes)
    half = _Z * np.sqrt(share * (1 - share) / sizes + _Z**2 / (4 * sizes**2)) / (1 + _Z**2 / sizes)
    # Where all or none are positive, rounding must not move an end of the interval past the share.
    low, high = np.minimum(centre - half, share), np.maximum(centre + half, share)
    return Groups(np.array([probability[part].mean() for part in parts]), share, low, high, sizes)


class Candidates(Section):
    """Builders crossed with classifiers."""

    title = "Candidates"
    anchor = "candidates"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return the candidates' table and figure."""
        rows = table(run, "candidates").to_dict("records")
        if not rows:
            return "No candidate was trained."
        auto = [row for row in rows if row["name"] == AUTO]
        others = sorted((row for row in rows if row["name"] != AUTO), key=lambda row: -row["auroc"])
        drawn = [
            Row(spoken(row["name"]), row["auroc"], row["auroc_low"], row["auroc_high"], leading=row["name"] == AUTO)
            for row in (*auto, *others)
        ]
        alt = "AUROC with 95 % intervals: " + "; ".join(f"{row.name} {row.value:.2f}" for row in drawn) + "."
        words = ("AUROC, 95 % interval", "auto (the headline)", "one candidate")
        return {
            "rows": [*auto, *others],
            "refit": run.result.refit,
            "n": run.result.n,
            "figure": forest("candidates-forest", drawn, words, alt),
        }

"""Discrimination of held-out subjects: metrics, ROC and precision-recall curves."""

from collections.abc import Mapping
from typing import Any

from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.run import Run
from responder_ml.report.curves import average_precision_recall, average_roc
from responder_ml.report.figures.curve import Axis, unit_curve
from responder_ml.report.section import Section
from responder_ml.report.subject_decisions import subject_decisions


class Discrimination(Section):
    """Performance of the whole procedure, the choice between candidates included, on held-out subjects."""

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
        }
        if roc is None or precision is None:
            return values
        counts = f"{n.positive} {endpoint.positive} and {n.negative} {endpoint.negative} subjects"
        positive, negative = endpoint.positive, endpoint.negative
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

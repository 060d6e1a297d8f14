"""The page of a meta-analysis of signatures or claims: all means, and a forest of the leading ones."""

from collections.abc import Sequence

from markupsafe import Markup

from responder_ml.records.pooled import EstimateRow, PooledRow, PooledRun
from responder_ml.report.figures.canvas import distinct_labels, shortened
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.meta import WORKS_ON_POOLING
from responder_ml.report.references import Bibliography, Reference
from responder_ml.report.template import render

_GLESER = Reference(
    "Gleser LJ, Olkin I (2009). Stochastically dependent effect sizes. In: The handbook of research synthesis."
)
_MOST_MEANS, _MOST_FORESTS = 20, 6
_NO_EFFECT = (0.0, "no effect (0)")


def render_pooled(run: PooledRun) -> str:
    """Return the page as HTML; it needs no other file."""
    works, result = Bibliography(), run.result
    for work in (*WORKS_ON_POOLING, _GLESER):
        works.cite(work)
    rows, estimates = run.rows, run.estimates
    return render("pooled.html", {
        "name": result.name,
        "simulated": result.simulated,
        "result": result,
        "answer": (
            "Yes: over these cohorts some mean differs from no effect."
            if result.level == "evidence"
            else "No: no mean over these cohorts differs from no effect more than chance allows."
        ),
        "means": _means(rows[:_MOST_MEANS], result.fdr),
        "forests": [
            (row.pooled, _forest(number, row, [one for one in estimates if one.pooled == row.pooled]))
            for number, row in enumerate(rows[:_MOST_FORESTS])
        ],
        "rows": rows,
        "estimates": estimates,
        "works": works,
    })  # fmt: skip


def _means(rows: Sequence[PooledRow], fdr: float) -> Markup:
    labels = distinct_labels([row.pooled for row in rows])
    lines = [Row(labels[row.pooled], row.mean, row.low, row.high, leading=row.fdr <= fdr) for row in rows]
    alt = "Means over cohorts with 95 % intervals: " + "; ".join(map(str, lines)) + "."
    return forest("means", lines, ("mean, 95 % interval", f"FDR ≤ {fdr:g}", "FDR above"), alt, _NO_EFFECT)


def _forest(number: int, row: PooledRow, estimates: Sequence[EstimateRow]) -> Markup:
    labels = distinct_labels([one.cohort for one in estimates])
    lines = [Row(labels[one.cohort], one.estimate, one.low, one.high) for one in estimates]
    lines += [
        Row("mean over cohorts", row.mean, row.low, row.high, leading=True),
        Row("a new cohort", row.mean, row.prediction_low, row.prediction_high, leading=True),
    ]
    alt = f"{row.pooled} in each cohort, its mean and a new cohort, with 95 % intervals: {'; '.join(map(str, lines))}."
    words = (f"{shortened(row.pooled)}, 95 % interval", "pooled", "cohorts")
    return forest(f"forest-{number}", lines, words, alt, _NO_EFFECT)

"""The page of a meta-analysis: the mean over cohorts with its intervals, a forest figure, and the mean without each cohort."""

from responder_ml.records.meta import MetaRun
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.references import Bibliography, Reference
from responder_ml.report.template import render

WORKS_ON_POOLING = (
    Reference("Viechtbauer W (2005). Variance estimators in meta-analysis.", "10.3102/10769986030003261"),
    Reference("Hartung J, Knapp G (2001). Intervals in random-effects meta-analysis.", "10.1002/sim.791"),
    Reference("Viechtbauer W (2007). Intervals for heterogeneity.", "10.1002/sim.2514"),
    Reference(
        "Higgins JPT, Thompson SG, Spiegelhalter DJ (2009). Prediction intervals.", "10.1111/j.1467-985X.2008.00552.x"
    ),
    Reference("Debray TPA et al. (2019). Meta-analysis of prediction models.", "10.1177/0962280218785504"),
)
"""What is cited on how cohorts are pooled."""


def render_meta(run: MetaRun) -> str:
    """Return the page as HTML; it needs no other file."""
    works, result = Bibliography(), run.result
    for work in WORKS_ON_POOLING:
        works.cite(work)
    rows = [Row(row.cohort, row.auroc, row.auroc_low, row.auroc_high, leading=False) for row in result.cohorts]
    rows += [
        Row("mean over cohorts", result.auroc, result.auroc_low, result.auroc_high, leading=True),
        Row("a new cohort", result.auroc, result.prediction_low, result.prediction_high, leading=True),
    ]
    alt = "AUROC of each cohort, their mean and a new cohort, with 95 % intervals: " + "; ".join(map(str, rows)) + "."
    words = ("AUROC, 95 % interval", "pooled", "cohorts")
    return render("meta.html", {
        "name": result.name,
        "simulated": result.simulated,
        "result": result,
        "answer": (
            "Yes: over these cohorts the mean AUROC lies above one half."
            if result.level == "evidence"
            else "No: the interval of the mean AUROC includes one half."
        ),
        "figure": forest("meta", rows, words, alt),
        "works": works,
    })  # fmt: skip

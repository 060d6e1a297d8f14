"""The page of a replication: what was found, one figure of the correlations, and every quantity beside its two reference values."""

from responder_ml.cohort.tissue_taken import describe_timing, weakest_timing
from responder_ml.records.replication import ReplicationRun
from responder_ml.records.replication_outcome import SIGNATURES, TRUE_CHANGES
from responder_ml.report.figures.replication_rows import ReplicationRow, replication_rows
from responder_ml.report.references import Bibliography, Reference
from responder_ml.report.template import render

_WORKS = (
    Reference("Smyth GK (2004). Moderated t.", "10.2202/1544-6115.1027"),
    Reference(
        "MacKinnon JG, White H (1985). Heteroskedasticity-consistent covariance.", "10.1016/0304-4076(85)90158-7"
    ),
    Reference("Efron B, Stein C (1981). The jackknife.", "10.1214/aos/1176345462"),
    Reference("Fieller EC (1954). Intervals of ratios.", "10.1111/j.2517-6161.1954.tb00159.x"),
    Reference("Stephens M (2017). Adaptive shrinkage.", "10.1093/biostatistics/kxw041"),
    Reference("Hanley JA, McNeil BJ (1982). The area under a ROC curve.", "10.1148/radiology.143.1.7063747"),
)
_ANSWERS = {
    "nothing_to_replicate": ("There is nothing to replicate yet.", "no_evidence"),
    "replicated": ("Yes: the second study shows the changes of the first.", "evidence"),
    "not_replicated": ("No: the second study does not have the changes of the first.", "no_evidence"),
    "undecided": ("This cannot be told with these animals.", "undecided"),
    "expected": ("There is something to replicate; this is what a second study should see.", "evidence"),
}
_MOST_GENES = 30


def render_replication(run: ReplicationRun) -> str:
    """Return the page as HTML; it needs no other file."""
    works, result = Bibliography(), run.result
    for work in _WORKS:
        works.cite(work)
    answer, level = _ANSWERS[result.level]
    true = next(row for row in result.quantities if row.quantity == TRUE_CHANGES)
    if result.level == "replicated" and true.high is not None and true.high < 1.0:
        answer = "In part: the second study shows changes of the first, and others."
    rows = [
        ReplicationRow(
            row.quantity,
            row.observed,
            None if row.low is None or row.high is None else (row.low, row.high),
            row.same_changes,
            row.no_effect if row.no_effect is not None else 0.0,
        )
        for row in result.quantities
        if row.quantity == SIGNATURES or (row.quantity == TRUE_CHANGES and result.second is not None)
    ]
    called = run.tables["genes"][run.tables["genes"]["called_first"].astype(bool)]
    genes = called.head(_MOST_GENES).astype(object)
    studies = [study for study in (result.first, result.second) if study is not None]
    return render("replication.html", {
        "name": result.name,
        "simulated": result.simulated,
        "result": result,
        "answer": answer,
        "level": level,
        "studies": list(zip(("first", "second"), studies, strict=False)),
        "figure": replication_rows("replication", rows, "Correlations. " + "; ".join(map(str, rows)) + "."),
        "genes": genes.where(genes.notna(), None).to_dict("records"),
        "further": max(len(called) - _MOST_GENES, 0),
        "timing": describe_timing(weakest_timing(*(study.taken for study in studies))),
        "works": works,
    })  # fmt: skip

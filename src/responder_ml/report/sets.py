"""The page of gene-set tests: the conclusion, a figure of the leading sets, and every set with both tests."""

from markupsafe import Markup

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.records.sets import SetRow, SetsRun
from responder_ml.report.figures.set_bars import SetBar, set_bars
from responder_ml.report.references import Bibliography, Reference
from responder_ml.report.template import render

_WU_2010 = Reference("Wu D et al. (2010). ROAST: rotation gene set tests.", "10.1093/bioinformatics/btq401")
_WU_2012 = Reference("Wu D, Smyth GK (2012). Camera: a competitive gene set test.", "10.1093/nar/gks461")
_LANGSRUD = Reference("Langsrud O (2005). Rotation tests.", "10.1007/s11222-005-4789-5")
_MOST_DRAWN = 20
_MOST_IN_TABLE = 500


def render_sets(run: SetsRun) -> str:
    """Return the page as HTML; it needs no other file."""
    works = Bibliography()
    for work in (_WU_2010, _WU_2012, _LANGSRUD):
        works.cite(work)
    result, rows = run.result, run.rows
    differing = any(min(row.fdr, row.mixed_fdr) <= result.fdr for row in rows)
    return render("sets.html", {
        "name": result.name,
        "simulated": result.simulated,
        "result": result,
        "answer": "Yes: some sets differ between the classes." if differing else "No set differs more than chance allows.",
        "level": "evidence" if differing else "no_evidence",
        "rows": rows[:_MOST_IN_TABLE],
        "further": max(len(rows) - _MOST_IN_TABLE, 0),
        "figure": _figure(rows, result.fdr),
        "timing": describe_timing(result.taken),
        "works": works,
    })  # fmt: skip


def _figure(rows: tuple[SetRow, ...], fdr: float) -> Markup:
    bars = [
        SetBar(
            row.set, row.mean_z, row.fdr <= fdr, row.fdr <= fdr and row.camera_fdr is not None and row.camera_fdr <= fdr
        )
        for row in rows[:_MOST_DRAWN]
    ]
    alt = "Mean z of the sets with the smallest p: " + "; ".join(map(str, bars)) + "."
    return set_bars("sets", bars, fdr, alt)

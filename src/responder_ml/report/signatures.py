"""The page of external signatures: the conclusion, three figures with the value of no effect in each, and every signature."""

from collections.abc import Sequence

from markupsafe import Markup

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.records.signatures import SignatureRow, SignaturesRun
from responder_ml.report.figures.canvas import distinct_labels
from responder_ml.report.figures.forest import ClaimRow, claim_rows
from responder_ml.report.references import WORKS, Bibliography, Reference
from responder_ml.report.template import render

_WORKS = (
    Reference("Foroutan M et al. (2018). Single sample scoring (singscore).", "10.1186/s12859-018-2435-4"),
    Reference("Badia-i-Mompel P et al. (2022). decoupleR (ulm).", "10.1093/bioadv/vbac016"),
    Reference("Hedges LV (1981). Estimator of effect size.", "10.3102/10769986006002107"),
    WORKS["westfall"],
    WORKS["phipson"],
)
_MOST_DRAWN = 20
_MOST_IN_TABLE = 500
# Statistic, words under the axis, and what they mean.
_FIGURES = (
    (
        "difference",
        "difference (Hedges' g)",
        "Standardised difference of the score; right: higher in the positive class.",
    ),
    (
        "cosine",
        "cosine with changes",
        "Weighted cosine of the signature and the cohort's changes; right: the same direction.",
    ),
    ("reversed", "share reversed", "Share of the signature's genes that change in the opposite direction."),
)


def render_signatures(run: SignaturesRun) -> str:
    """Return the page as HTML; it needs no other file."""
    works = Bibliography()
    for work in _WORKS:
        works.cite(work)
    result, rows = run.result, run.rows
    differing = any(_counts(row, result.alpha) for row in rows)
    return render("signatures.html", {
        "name": result.name,
        "simulated": result.simulated,
        "result": result,
        "answer": (
            "Yes: the score of some external signature differs between the classes."
            if differing
            else "No: no signature's score differs more than chance allows."
        ),
        "level": "evidence" if differing else "no_evidence",
        "rows": rows[:_MOST_IN_TABLE],
        "further": max(len(rows) - _MOST_IN_TABLE, 0),
        "figures": [
            (figure, meaning)
            for name, label, meaning in _FIGURES
            if (figure := _figure(rows[:_MOST_DRAWN], name, label, result.alpha))
        ],
        "drawn": min(len(rows), _MOST_DRAWN),
        "circular": [row for row in rows if row.circular],
        "timing": describe_timing(result.taken),
        "works": works,
    })  # fmt: skip


def _counts(row: SignatureRow, alpha: float) -> bool:
    return not row.circular and row.corrected_p is not None and row.corrected_p <= alpha


def _figure(rows: Sequence[SignatureRow], name: str, label: str, alpha: float) -> Markup:
    drawn, names = [], distinct_labels([row.signature for row in rows])
    corrected = "corrected_p" if name == "difference" else f"{name}_corrected_p"
    for row in rows:
        observed, expected, low, high, p_value = (
            getattr(row, key) for key in (name, f"{name}_no_effect", f"{name}_null_low", f"{name}_null_high", corrected)
        )
        if observed is not None:
            solid = not row.circular and p_value <= alpha
            drawn.append(ClaimRow(names[row.signature], observed, expected, low, high, solid))
    if not drawn:
        return Markup("")
    alt = f"{label}: " + "; ".join(f"{row.name} {row.observed:.2f}, with no effect {row.expected:.2f}" for row in drawn)
    return claim_rows(
        f"signatures-{name}", drawn, (label, f"corrected p ≤ {alpha:g}", "corrected p above, or circular"), f"{alt}."
    )

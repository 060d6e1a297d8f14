"""The conclusion, what it means and the numbers it rests on."""

from collections.abc import Mapping
from typing import Any

from responder_ml.records.run import Run
from responder_ml.report.section import Section

NAMES = {
    "evidence": "Evidence",
    "confounded": "Confounded",
    "no_evidence": "No evidence",
    "underpowered": "Underpowered",
    "not_tested": "Not tested",
}
"""What people read for each level of the verdict."""

_MEANINGS = {
    "evidence": (
        "The difference is larger than relabelled subjects give, it holds within batches where that could be asked, and no "
        "nuisance column does as well. It is a statement about these subjects and this tissue; a second cohort is the real test."
    ),
    "confounded": (
        "Expression does separate the classes here, but so could batch or another nuisance column. These data cannot tell the "
        "two apart."
    ),
    "no_evidence": (
        "Relabelled subjects do as well often enough that luck is explanation enough. That is no proof that the classes do not "
        "differ: small cohorts miss real differences. Genes and figures below may show noise."
    ),
    "underpowered": (
        "There are too few subjects for any result to count as evidence, whatever its AUROC. What follows describes these "
        "subjects and shows nothing beyond them."
    ),
    "not_tested": "No null was run, so nothing tells this AUROC from luck. Set null.permutations above 0 to ask.",
}


class Verdict(Section):
    """The sentence first."""

    title = "Verdict"
    anchor = "verdict"

    def content(self, run: Run) -> Mapping[str, Any]:
        """Return the sentence, its meaning and its numbers."""
        result = run.result
        level = result.verdict.level
        severe = [finding for finding in result.audit if finding.severity in ("error", "warning")]
        return {
            "level": level,
            "name": NAMES.get(level, level),
            "sentence": result.verdict.sentence,
            "meaning": _MEANINGS.get(level, ""),
            "headline": result.headline,
            "null": result.null,
            "n": result.n,
            "endpoint": result.endpoint,
            "cautions": len(severe),
        }

"""The conclusion, its meaning and the numbers it is based on."""

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
"""Name of each level of the verdict, as printed."""

_MEANINGS = {
    "evidence": (
        "The difference is larger than relabelled subjects give, it holds within batches where this could be tested, and no "
        "nuisance column does as well. The result is valid for these subjects and this tissue; a second cohort must confirm it."
    ),
    "confounded": (
        "Expression separates the classes here, but batch or another nuisance column could explain the separation. These data "
        "cannot distinguish the two explanations."
    ),
    "no_evidence": (
        "Relabelled subjects reach this AUROC often enough for chance to explain it. This does not prove that the classes do not "
        "differ: small cohorts miss real differences. Genes and figures below may show noise."
    ),
    "underpowered": (
        "There are too few subjects for any result to count as evidence, whatever its AUROC. The results below describe "
        "these subjects only."
    ),
    "not_tested": "No null was run, so this AUROC cannot be distinguished from chance. Set null.permutations above 0 to test it.",
}


class Verdict(Section):
    """The conclusion in one sentence, with its meaning and its numbers."""

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

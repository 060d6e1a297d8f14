"""Performance of every candidate and of the procedure that chooses between them."""

from collections.abc import Mapping
from typing import Any

from responder_ml.records.run import Run
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.section import Section, table
from responder_ml.search.candidate import AUTO


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
            Row(row["name"], row["auroc"], row["auroc_low"], row["auroc_high"], leading=row["name"] == AUTO)
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

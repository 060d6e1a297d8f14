"""Simple competitors that use no expression, or no selected genes, on the same folds."""

from collections.abc import Mapping
from typing import Any

from responder_ml.records.run import Run
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.section import Section, table

_EXPLAINED = {
    "majority": "the training odds for every subject; no predictor",
    "random signatures": "random genes, as many and as highly expressed as the model's",
    "depth and quality": "library size, detected genes, and RIN where known",
    "drug": "the drug given",
    "cell-type markers": "mean of a few markers of each cell type: tissue composition alone",
    "all nuisance columns": "all declared nuisance columns together",
}


class Baselines(Section):
    """AUROC of every baseline, and the gain of the procedure over it."""

    title = "Baselines: simple competitors on the same folds"
    anchor = "baselines"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return the baselines with the headline's gain over each."""
        rows = table(run, "baselines").to_dict("records")
        headline = run.result.headline
        if not rows or headline.auroc is None:
            return "No baseline was run, because no model was trained to compare it with."
        low, high = headline.auroc_ci
        drawn = [Row("this procedure", headline.auroc, low, high, leading=True)]
        drawn += [Row(row["name"], row["auroc"], row["auroc_low"], row["auroc_high"]) for row in rows]
        best = max(rows, key=lambda row: row["auroc"])
        alt = f"AUROC of this procedure, {headline.auroc:.2f}, above {len(rows)} baselines; best is {best['name']}."
        for row in rows:
            row["explained"] = _EXPLAINED.get(row["name"], f"the column {row['name']} of the sample sheet alone")
        return {
            "rows": rows,
            "best": best,
            "headline": headline,
            "n": run.result.n,
            "without": run.result.without,
            "figure": forest("baselines-forest", drawn, ("AUROC, 95 % interval", "this procedure", "baseline"), alt),
        }

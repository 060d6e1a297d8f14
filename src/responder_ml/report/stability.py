"""Agreement of the results over splits of the same subjects."""

from collections.abc import Mapping
from typing import Any

from responder_ml.records.run import Run
from responder_ml.report.figures.repeat_scores import repeat_scores
from responder_ml.report.figures.selection import selection
from responder_ml.report.section import Section, table
from responder_ml.search.candidate import AUTO

_GENES = 20


class Stability(Section):
    """Agreement of gene choices, and of scores, over outer models."""

    title = "Stability: agreement over splits of the same subjects"
    anchor = "stability"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return stability with its figures."""
        folds = table(run, "folds")
        auto = folds[folds["candidate"] == AUTO]
        genes = table(run, "genes").dropna(subset=["selection_frequency"])
        if auto.empty and genes.empty:
            return "Nothing was trained, so stability cannot be estimated."
        most = genes.sort_values(["selection_frequency", "contribution"], ascending=False, kind="stable").head(_GENES)
        lengths = auto["n_features"].dropna()
        return {
            "stability": run.result.stability,
            "models": len(auto),
            "repeats": int(auto["repeat"].nunique()),
            "lengths": (lengths.median(), lengths.min(), lengths.max()) if len(lengths) else None,
            "always": int((genes["selection_frequency"] >= 1).sum()),
            "ever": len(genes),
            "selection": selection(most, len(auto)) if len(most) else None,
            "scores": repeat_scores(auto) if auto["auroc"].notna().any() else None,
        }

"""A training on a graded outcome in Python: the verdict, the numbers it rests on, predictions, genes and the model."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from responder_ml.errors import RunError
from responder_ml.evaluation.verdict import Verdict
from responder_ml.library.training import Training
from responder_ml.records.graded import PAGE, GradedPerformance, GradedRecord, GradedRun

if TYPE_CHECKING:
    from anndata import AnnData


class Graded(Training[GradedRun]):
    """What `train` found on a graded outcome, and where it is."""

    @property
    def result(self) -> GradedRecord:
        """Everything in ``graded.json``, typed."""
        return self._record.result

    @property
    def verdict(self) -> Verdict:
        """The conclusion: its ``level`` (``evidence``, ``no_evidence``, ...) and its ``sentence``."""
        return Verdict(self.result.verdict.level, self.result.verdict.sentence)

    @property
    def headline(self) -> GradedPerformance:
        """The whole procedure on held-out subjects: ``concordance``, ``concordance_ci``, ``spearman``, ``r2`` and ``mae``."""
        return self.result.headline

    @property
    def p_value(self) -> float | None:
        """The p of relabelled outcomes; None where no null was run."""
        return None if self.result.null is None else self.result.null.p_value

    @property
    def predictions(self) -> pd.DataFrame:
        """One row per subject: its ``outcome``, and the mean over repeats of its held-out ``prediction``, in the same unit."""
        of_subjects = self.tables["predictions"].groupby("subject", sort=False)
        return of_subjects.agg(outcome=("outcome", "first"), prediction=("prediction", "mean")).reset_index()

    @property
    def genes(self) -> pd.DataFrame:
        """One row per gene that contributed to held-out predictions, the largest contribution first."""
        return self.tables["genes"]

    def report(self) -> Path:
        """Return the page, one HTML file that needs nothing else; it is written where it is not there.

        Raises
        ------
        RunError
            It cannot be written.
        """
        from responder_ml.report.graded import write_graded_page

        path = self.folder / PAGE
        if not path.is_file():
            write_graded_page(self._record, path)
        return path

    def annotate(self, data: "AnnData") -> None:
        """Write each subject's held-out prediction into ``obs["held_out_prediction"]`` of its samples, and verdict into ``uns``.

        Parameters
        ----------
        data
            The AnnData that was trained on, with the column ``subject`` in ``obs``; without it ``obs_names`` are the subjects.

        Raises
        ------
        RunError
            No subject of the run is in ``data``.
        """
        means = self.predictions.set_index("subject")["prediction"]
        column = (self.config.get("cohort") or {}).get("columns", {}).get("subject", "subject")
        subjects = pd.Index(data.obs.get(column, data.obs_names)).astype(str).str.strip()
        if not subjects.isin(means.index).any():
            raise RunError(
                f"None of the {len(means)} subjects of {self.name} is in this AnnData. Give the one trained on."
            )
        data.obs["held_out_prediction"] = means.reindex(subjects).to_numpy(dtype=np.float64)
        data.uns["responder_ml"] = {
            "verdict": self.verdict.level,
            "sentence": self.verdict.sentence,
            "concordance": np.nan if self.headline.concordance is None else self.headline.concordance,
            "p_value": np.nan if self.p_value is None else self.p_value,
            "run": str(self.folder),
        }

    def _facts(self) -> dict[str, str]:
        n, outcome, headline, null = self.result.n, self.result.outcome, self.headline, self.result.null
        facts = {
            "outcome": f"{outcome.column}, {outcome.low:g} to {outcome.high:g}",
            "subjects": f"{n.subjects}; {n.genes:,} genes",
        }
        if headline.concordance is not None:
            low, high = headline.concordance_ci
            interval = "" if low is None or high is None else f", 95 % interval {low:.2f} to {high:.2f}"
            facts["concordance"] = f"{headline.concordance:.2f}{interval}"
        if null is not None:
            method = f"all {null.labellings} orders" if null.exact else f"{null.relabellings:,} relabellings"
            facts["p"] = f"{null.p_value:.2g} ({method})"
        return {**facts, "folder": str(self.folder)}

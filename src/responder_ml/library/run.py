"""A run in Python: the verdict, the numbers it rests on, the tables, and the report's figures as axes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from responder_ml.errors import RunError
from responder_ml.evaluation.verdict import Verdict
from responder_ml.library.training import Training
from responder_ml.records import run as records
from responder_ml.records.result import Headline, Result
from responder_ml.search.candidate import AUTO

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


class Run(Training[records.Run]):
    """What `train` found on two classes, and where it is."""

    @property
    def result(self) -> Result:
        """Everything in ``result.json``, typed."""
        return self._record.result

    @property
    def verdict(self) -> Verdict:
        """The conclusion: its ``level`` (``evidence``, ``no_evidence``, ...) and its ``sentence``."""
        return self.result.verdict

    @property
    def headline(self) -> Headline:
        """Performance of the whole procedure on held-out subjects: ``auroc``, ``auroc_ci`` and the other metrics."""
        return self.result.headline

    @property
    def p_value(self) -> float | None:
        """The p of the headline against relabelled subjects; None where no null was run."""
        return None if self.result.null is None else self.result.null.p_value

    @property
    def genes(self) -> pd.DataFrame:
        """One row per gene that contributed to held-out predictions, the largest contribution first."""
        return self.tables["genes"]

    @property
    def figures(self) -> "RunFigures":
        """The report's figures; each call paints one and returns its axes."""
        return RunFigures(self._record)

    def report(self) -> Path:
        """Return the report, one HTML page that needs nothing else; it is written where it is not there.

        Raises
        ------
        RunError
            It cannot be written.
        """
        from responder_ml.report.html import write_report

        path = self.folder / "report.html"
        if not path.is_file():
            write_report(self._record, path)
        return path

    def annotate(self, data: "AnnData") -> None:
        """Write each sample's held-out log-odds into ``obs["held_out_log_odds"]``, and verdict and headline into ``uns``.

        Held-out log-odds are means over repeats, by models that did not see the subject. Samples that took no part have none.

        Parameters
        ----------
        data
            The AnnData that was trained on; ``obs_names`` are the samples.

        Raises
        ------
        RunError
            No sample of the run is in ``data``.
        """
        table = self.tables["out_of_fold"]
        means = table[table["candidate"] == AUTO].groupby("sample")["log_odds"].mean()
        names = data.obs_names.astype(str).str.strip()
        if not names.isin(means.index).any():
            raise RunError(
                f"None of the {len(means)} samples of {self.name} is in this AnnData. Give the one trained on."
            )
        data.obs["held_out_log_odds"] = means.reindex(names).to_numpy(dtype=np.float64)
        data.uns["responder_ml"] = {
            "verdict": self.verdict.level,
            "sentence": self.verdict.sentence,
            "auroc": self.headline.auroc,
            "p_value": np.nan if self.p_value is None else self.p_value,
            "run": str(self.folder),
        }

    def _facts(self) -> dict[str, str]:
        n, headline, null = self.result.n, self.headline, self.result.null
        endpoint = self.result.endpoint
        facts = {"subjects": f"{n.positive} {endpoint.positive}, {n.negative} {endpoint.negative}; {n.genes:,} genes"}
        if headline.auroc is not None:
            low, high = headline.auroc_ci
            interval = "" if low is None or high is None else f", 95 % interval {low:.2f} to {high:.2f}"
            facts["AUROC"] = f"{headline.auroc:.2f}{interval}"
        if null is not None and null.p_value is not None:
            method = f"all {null.labellings:,} labellings" if null.exact else f"{null.permutations:,} relabellings"
            facts["p"] = f"{null.p_value:.2g} ({method}, null mean {null.null_mean:.2f})"
        return {**facts, "folder": str(self.folder)}


class RunFigures:
    """Figures of a run on matplotlib axes; ``figure`` is an empty figure or part of one, a new one of pyplot's by default.

    Parameters
    ----------
    record
        What the run folder holds.
    """

    def __init__(self, record: records.Run) -> None:
        self._record = record

    def roc(self, figure: "Figure | SubFigure | None" = None) -> "Axes":
        """Paint the ROC curve of subjects scored by the same model, with its band over repeats.

        Raises
        ------
        RunError
            There is nothing to draw; so for every figure.
        """
        from responder_ml.report.discrimination import Discrimination

        return self._axes(Discrimination().content(self._record), "roc", figure)

    def null(self, figure: "Figure | SubFigure | None" = None) -> "Axes":
        """Paint the observed statistic among those of relabelled subjects."""
        from responder_ml.report.verdict import Null

        return self._axes(Null().content(self._record), "figure", figure)

    def candidates(self, figure: "Figure | SubFigure | None" = None) -> "Axes":
        """Paint the AUROC of every candidate and of their mean, with 95 % intervals."""
        from responder_ml.report.discrimination import Candidates

        return self._axes(Candidates().content(self._record), "figure", figure)

    def genes(self, figure: "Figure | SubFigure | None" = None) -> "Axes":
        """Paint the contributions of the leading genes to held-out predictions."""
        from responder_ml.report.genes import Genes

        return self._axes(Genes().content(self._record), "bars", figure)

    def heat_map(self, figure: "Figure | SubFigure | None" = None) -> "Axes":
        """Paint the expression of the leading genes over samples; the first axes are the tracks above it."""
        from responder_ml.report.genes import Genes

        return self._axes(Genes().content(self._record), "heat", figure)

    def _axes(self, content: Any, key: str, figure: "Figure | SubFigure | None") -> "Axes":
        from responder_ml.report.figures.canvas import Drawing

        drawing = content if isinstance(content, str) else content[key]
        if not isinstance(drawing, Drawing):
            raise RunError(
                drawing if isinstance(drawing, str) else f"{self._record.name} has too little for this figure."
            )
        return drawing.axes(figure)

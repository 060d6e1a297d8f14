"""The founding study's claims in Python: verdicts, statistics and figures."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from responder_ml.contrasts.claims_record import ClaimsRecord
from responder_ml.contrasts.founding_claims import CLAIMS
from responder_ml.errors import ContrastError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


class Claims:
    """Every claim the animals of a job can answer.

    Parameters
    ----------
    record
        What was evaluated.

    Attributes
    ----------
    record
        As given.
    """

    def __init__(self, record: ClaimsRecord) -> None:
        self.record = record

    @property
    def verdicts(self) -> pd.DataFrame:
        """One row per claim: claim, level, sentence, statement."""
        return pd.DataFrame(
            [
                {
                    "claim": verdict.claim,
                    "level": verdict.level,
                    "sentence": verdict.sentence,
                    "statement": CLAIMS[verdict.claim],
                }
                for verdict in self.record.verdicts
            ]
        )

    @property
    def table(self) -> pd.DataFrame:
        """One row per statistic, region, drug and arm: observed, expected with no effect, p, interval; see docs/claims.md."""
        return self.record.table()

    def figure(self, claim: str, figure: "Figure | SubFigure | None" = None) -> "Axes":
        """Paint a claim by drug and region beside its values under relabelling.

        Parameters
        ----------
        claim
            ``R4`` (reversal of susceptibility) or ``R5`` (induction of resilience).
        figure
            An empty figure or part of one; a new one of pyplot's by default.

        Raises
        ------
        ContrastError
            There is no such figure.
        """
        from responder_ml.report.claims import claim_figure
        from responder_ml.report.figures.canvas import Drawing

        drawing = claim_figure(self.record, claim)
        if not isinstance(drawing, Drawing):
            raise ContrastError(f"The claim '{claim}' has no figure.")
        return drawing.axes(figure)

    def write(self, folder: str | Path) -> Path:
        """Write table, record and page, and return the page.

        Raises
        ------
        RunError
            A file cannot be written.
        """
        from responder_ml.claims import PAGE, write_claims

        write_claims(self.record, Path(folder))
        return Path(folder) / PAGE

    def __repr__(self) -> str:
        lines = [f"  {verdict.claim} {verdict.level}: {verdict.sentence}" for verdict in self.record.verdicts]
        return "\n".join([f"Claims '{self.record.name}'{' on simulated data' * self.record.simulated}", *lines])

    def _repr_html_(self) -> str:
        simulated = "<p><strong>Simulated data.</strong></p>" if self.record.simulated else ""
        return f"<div>{simulated}<p>{escape(self.record.name)}</p>{self.verdicts.to_html(index=False)}</div>"

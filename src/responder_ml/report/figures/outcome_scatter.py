"""Held-out prediction of each subject against its observed outcome."""

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from responder_ml.arrays import Floats
from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below
from responder_ml.report.figures.palette import GRID, OBSERVED, REFERENCE_LINE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE = 40


def outcome_scatter(column: str, outcome: Floats, predicted: Floats) -> Markup:
    """Draw one mark per subject, with the middle 95 % of its repeats, and the line of equality.

    Parameters
    ----------
    column
        The outcome's column.
    outcome
        Observed, shape ``(n_subjects,)``.
    predicted
        Held-out predictions, repeats x subjects.
    """
    mean = predicted.mean(axis=0)
    low, high = np.quantile(predicted, [0.025, 0.975], axis=0)

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        ends = float(min(outcome.min(), low.min())), float(max(outcome.max(), high.max()))
        axes.plot(ends, ends, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", zorder=0, label="equal")
        axes.vlines(outcome, low, high, color=OBSERVED, linewidth=0.9, alpha=0.55, label="middle 95 % of repeats")
        axes.plot(
            outcome, mean, linestyle="none", marker="o", markersize=5.5, color=OBSERVED, markerfacecolor="white",
            label=f"mean over repeats (n = {len(outcome)})",
        )  # fmt: skip
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_xlabel(fill(f"observed {column}", _LINE))
        axes.set_ylabel(fill(f"predicted {column}", _LINE))
        legend_below(figure, axes)

    alt = (
        f"Held-out predictions of {column} against observed values, {len(outcome)} subjects: observed from {outcome.min():.3g} to "
        f"{outcome.max():.3g}, predicted from {mean.min():.3g} to {mean.max():.3g}."
    )
    return figure_svg("outcome", (WIDTH, 3.4), alt, paint)

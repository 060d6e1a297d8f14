"""Each subject's held-out probability: mean and range over repeats."""

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below, shortened
from responder_ml.report.figures.palette import GRID, REFERENCE_LINE, look
from responder_ml.report.subject_decisions import SubjectDecisions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_LINE = 32
MOST_NAMED = 40
"""More subjects are drawn by rank, without their names."""


def subject_spread(decisions: SubjectDecisions, positive: str, negative: str) -> Markup:
    """Draw subjects by class and mean, one row each, or by rank where they are many.

    Parameters
    ----------
    decisions
        Held-out decisions of the whole procedure.
    positive, negative
        Names of the classes.
    """
    named = len(decisions.subjects) <= MOST_NAMED
    order = np.lexsort((decisions.mean_log_odds, decisions.labels))
    probability, labels = decisions.probabilities[:, order], decisions.labels[order]

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        names = {
            label: f"{name} (n = {np.count_nonzero(labels == label)})" for label, name in ((1, positive), (0, negative))
        }
        if named:
            # An empty row parts the classes.
            heights = np.arange(len(order)) + (labels == 1)
            _by_name(axes, probability, labels, heights, names)
            axes.set_yticks(heights, [shortened(name) for name in decisions.subjects[order]])
            axes.set_xlabel(f"held-out probability of {positive}")
        else:
            _by_rank(axes, probability, labels, names)
            axes.set_ylabel(fill(f"held-out probability of {positive}", _LINE))
            axes.set_xlabel(f"subjects (n = {len(order):,}), by class and mean")
        legend_below(figure, axes)

    alt = (
        f"Held-out probability of {positive} for {len(order)} subjects: a mark at the mean and a line from the lowest "
        f"to the highest of {len(decisions.log_odds)} repeats; {positive} and {negative} have different marks."
    )
    return figure_svg("subjects", (WIDTH, 1.1 + 0.19 * len(order) if named else 3.2), alt, paint)


def _by_name(axes: "Axes", probability: Floats, labels: Labels, heights: Indices, names: dict[int, str]) -> None:
    low, mean, high = probability.min(axis=0), probability.mean(axis=0), probability.max(axis=0)
    for label, name in names.items():
        some, style = labels == label, look(label)
        axes.hlines(heights[some], low[some], high[some], color=style.colour, linewidth=1.6)
        axes.plot(
            mean[some], heights[some], linestyle="none", marker=style.marker, markersize=6, color=style.colour,
            markerfacecolor=style.fill or "white", label=name,
        )  # fmt: skip
    axes.set_xlim(-0.02, 1.02)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0.5, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", zorder=0)
    axes.grid(axis="y", color=GRID, linewidth=0.8)


def _by_rank(axes: "Axes", probability: Floats, labels: Labels, names: dict[int, str]) -> None:
    low, mean, high = probability.min(axis=0), probability.mean(axis=0), probability.max(axis=0)
    ranks = np.arange(len(labels))
    for label, name in names.items():
        some, style = labels == label, look(label)
        axes.vlines(ranks[some], low[some], high[some], color=style.colour, linewidth=0.6, alpha=0.3)
        axes.plot(
            ranks[some], mean[some], color=style.colour, linewidth=2.2, linestyle="-" if label else ":", label=name
        )
    axes.set_ylim(-0.02, 1.02)
    axes.axhline(0.5, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", zorder=0)

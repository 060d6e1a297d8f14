"""Each subject's held-out probability: mean and range over repeats."""

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from responder_ml.report.figures.canvas import WIDTH, figure_svg
from responder_ml.report.figures.palette import GRID, REFERENCE_LINE, look
from responder_ml.report.held_out import HeldOut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_NAMED = 40
"""More subjects are drawn by rank, without their names."""


def subject_spread(found: HeldOut, positive: str, negative: str) -> Markup:
    """Draw subjects by class and mean, one row each, or by rank where they are many.

    Parameters
    ----------
    found
        Held-out decisions of the whole procedure.
    positive, negative
        Names of the classes.
    """
    named = len(found.subjects) <= MOST_NAMED
    order = np.lexsort((found.mean_log_odds, found.labels))
    probability = found.probabilities[:, order]
    labels = found.labels[order]
    place = np.arange(len(order)) + np.where(labels == 1, 1, 0) * (1 if named else 0)

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        low, mean, high = probability.min(axis=0), probability.mean(axis=0), probability.max(axis=0)
        for label, name in ((1, positive), (0, negative)):
            some, style = labels == label, look(label)
            size, width = (6.0, 1.6) if named else (2.6, 0.35)
            spread = axes.hlines if named else axes.vlines
            spread(place[some], low[some], high[some], color=style.colour, linewidth=width)
            points = (mean[some], place[some]) if named else (place[some], mean[some])
            axes.plot(
                *points, linestyle="none", marker=style.marker, markersize=size, color=style.colour,
                markerfacecolor=style.fill or "white", label=f"{name} (n = {int(some.sum())})",
            )  # fmt: skip
        _label_axes(axes, named, place, list(found.subjects[order]), positive)
        handles, texts = axes.get_legend_handles_labels()
        figure.legend(handles, texts, loc="outside lower center", ncols=2)

    alt = (
        f"Held-out probability of {positive} for {len(order)} subjects: a mark at the mean and a line from the lowest "
        f"to the highest of {len(found.log_odds)} repeats; {positive} and {negative} have different marks."
    )
    return figure_svg("subjects", (WIDTH, 1.1 + 0.19 * len(order) if named else 3.2), alt, paint)


def _label_axes(axes: "Axes", named: bool, place: NDArray[np.intp], names: list[str], positive: str) -> None:
    words = f"held-out probability of {positive}"
    if named:
        axes.set_yticks(place, names)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel(words)
        axes.tick_params(axis="y", length=0)
        axes.axvline(0.5, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", zorder=0)
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        return
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel(words)
    axes.set_xlabel(f"subjects (n = {len(names)}), by class and mean")
    axes.axhline(0.5, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", zorder=0)

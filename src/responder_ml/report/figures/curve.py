"""A curve in the unit square with its band over repeats: ROC, or precision against recall."""

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from responder_ml.report.curves import Curve
from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below
from responder_ml.report.figures.palette import BAND, OBSERVED, REFERENCE_LINE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE = 40


@dataclass(frozen=True)
class Axis:
    """The words of a curve's axes, and its line of chance from ``(0, start)`` to ``(1, end)``.

    A ``closed`` curve runs from the corner (0, 0) to the corner (1, 1).
    """

    x: str
    y: str
    start: float
    end: float
    chance: str
    closed: bool


def unit_curve(name: str, curve: Curve, axis: Axis, repeats: int, alt: str) -> Markup:
    """Draw a curve, its band and the line of chance.

    Parameters
    ----------
    name
        Unique within the page.
    curve
        Average and band.
    axis
        Words and the line of chance.
    repeats
        Number of repeats behind the band.
    alt
        The figure in words.
    """

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        if repeats > 1:
            axes.fill_between(
                curve.x, curve.low, curve.high, facecolor=BAND, alpha=0.35, linewidth=0,
                label=f"middle 95 % of {repeats} repeats",
            )  # fmt: skip
        first, last = ([0.0], [1.0]) if axis.closed else ([], [])
        x, y = np.concatenate([first, curve.x, last]), np.concatenate([first, curve.y, last])
        axes.plot(x, y, color=OBSERVED, linewidth=2, label="mean over repeats")
        axes.plot(
            [0, 1], [axis.start, axis.end], color=REFERENCE_LINE, linewidth=1.2, linestyle="--", label=axis.chance
        )
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        axes.set_xlabel(fill(axis.x, _LINE))
        axes.set_ylabel(fill(axis.y, _LINE))
        axes.set_box_aspect(1)
        legend_below(figure, axes, columns=1)

    return figure_svg(name, (WIDTH, 4.4), alt, paint)

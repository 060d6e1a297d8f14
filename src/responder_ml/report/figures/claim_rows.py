"""Claim statistics one below another: each beside its no-effect value and what relabelled animals give."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below
from responder_ml.report.figures.palette import GRID, NULL, OBSERVED, REFERENCE_LINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE = 46


@dataclass(frozen=True)
class ClaimRow:
    """One value; ``low`` and ``high`` end its interval, ``null_low`` and ``null_high`` the middle 95 % of its null."""

    name: str
    observed: float
    expected: float
    null_low: float
    null_high: float
    low: float | None = None
    high: float | None = None
    solid: bool = True


def claim_rows(name: str, rows: Sequence[ClaimRow], words: tuple[str, str, str], alt: str) -> Markup:
    """Draw the values, from top to bottom.

    Parameters
    ----------
    name
        Unique within the page.
    rows
        Consecutive rows of one name share a line.
    words
        The x axis, and what solid and open markers stand for.
    alt
        The figure in words.
    """
    label, solid, hollow = words
    names = list(dict.fromkeys(row.name for row in rows))
    heights = {line: len(names) - index for index, line in enumerate(names)}

    def paint(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        several = len(rows) > len(names)
        for row in rows:
            y = heights[row.name] + (0.17 if row.solid else -0.17) * several
            _paint_null(axes, row, y)
            if row.low is not None and row.high is not None:
                axes.hlines([y], row.low, row.high, color=OBSERVED, linewidth=1.2)
        for marked, text in ((True, solid), (False, hollow)):
            some = [row for row in rows if row.solid is marked]
            axes.plot(
                [row.observed for row in some], [heights[row.name] + (0.17 if marked else -0.17) * several for row in some],
                linestyle="none", marker="D" if marked else "o", markersize=5.5, color=OBSERVED,
                markerfacecolor=OBSERVED if marked else "white", label=text if some else None,
            )  # fmt: skip
        axes.plot([], [], color=NULL, linewidth=5, label="middle 95 % of relabelled animals")
        axes.plot(
            [], [], color=REFERENCE_LINE, marker="|", markersize=9, linestyle="none", label="value with no effect"
        )
        # The last label would stand half outside.
        axes.xaxis.set_major_locator(MaxNLocator(6, prune="upper"))
        axes.set_yticks([heights[line] for line in names], names)
        axes.set_ylim(0.4, len(names) + 0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_xlabel(fill(label, _LINE))
        legend_below(figure, axes, columns=1)

    return figure_svg(name, (WIDTH, 1.95 + 0.3 * len(names)), alt, paint)


def _paint_null(axes: "Axes", row: ClaimRow, y: float) -> None:
    axes.hlines([y], row.null_low, row.null_high, color=NULL, linewidth=5, zorder=0)
    axes.plot(
        [row.expected], [y], color=REFERENCE_LINE, marker="|", markersize=9, markeredgewidth=1.6, linestyle="none"
    )

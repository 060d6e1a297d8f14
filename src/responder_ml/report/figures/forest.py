"""Rows of estimates with their intervals, one below another."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below
from responder_ml.report.figures.palette import GRID, OBSERVED, REFERENCE_LINE
from responder_ml.report.numbers import is_missing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONGEST_LINE = 20


@dataclass(frozen=True)
class Row:
    """One estimate; ends of the interval may be missing, and ``leading`` ones are drawn solid."""

    name: str
    value: float
    low: float | None
    high: float | None
    leading: bool = False


def forest(name: str, rows: Sequence[Row], words: tuple[str, str, str], alt: str) -> Markup:
    """Draw estimates of AUROC with 95 % intervals.

    Parameters
    ----------
    name
        Unique within the page.
    rows
        From top to bottom.
    words
        The x axis, and what solid and open markers stand for.
    alt
        The figure in words.
    """
    label, solid, hollow = words
    names = [_wrapped(row.name) for row in rows]

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        heights = range(len(rows), 0, -1)
        for leading, marker, text in ((True, "D", solid), (False, "o", hollow)):
            some = [(row, y) for row, y in zip(rows, heights, strict=True) if row.leading is leading]
            for row, y in some:
                if row.low is not None and row.high is not None and not is_missing(row.low + row.high):
                    axes.hlines([y], row.low, row.high, color=OBSERVED, linewidth=1.4)
            axes.plot(
                [row.value for row, _ in some], [y for _, y in some], linestyle="none", marker=marker, markersize=6.5,
                color=OBSERVED, markerfacecolor=OBSERVED if leading else "white", label=text if some else None,
            )  # fmt: skip
        axes.axvline(0.5, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", label="chance (0.5)", zorder=0)
        axes.set_yticks(list(heights), names)
        axes.set_ylim(0.4, len(rows) + 0.6)
        axes.set_xlim(0, 1.02)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_xlabel(label)
        legend_below(figure, axes, columns=2)

    lines = sum(text.count("\n") + 1.6 for text in names)
    return figure_svg(name, (WIDTH, 1.1 + 0.165 * lines), alt, paint)


def _wrapped(text: str) -> str:
    """Break a long name into lines; a candidate's after its plus sign."""
    if len(text) <= _LONGEST_LINE:
        return text
    return "\n".join(fill(part, _LONGEST_LINE, break_on_hyphens=False) for part in text.replace("+", "+\n").split("\n"))

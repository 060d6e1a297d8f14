"""A claim's estimate in every region with its interval, beside the value that shared animals make of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, hover, legend_below
from responder_ml.report.figures.palette import GRID, NEGATIVE, OBSERVED, REFERENCE_LINE
from responder_ml.report.numbers import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABEL_LINE = 46


@dataclass(frozen=True)
class EstimateRow:
    """One region: the corrected value, its interval if it is determined, and the value with shared animals in it."""

    name: str
    value: float
    interval: tuple[float, float] | None
    with_shared_animals: float

    def __str__(self) -> str:
        """Return it in words."""
        ends = (
            "interval not determined"
            if self.interval is None
            else f"{plain(self.interval[0])} to {plain(self.interval[1])}"
        )
        return f"{self.name}: {plain(self.value)} ({ends}); with shared animals {plain(self.with_shared_animals)}"


def claim_estimates(
    name: str, rows: Sequence[EstimateRow], label: str, limits: tuple[float, float], border: float, alt: str
) -> Markup:
    """Draw one line per region.

    Parameters
    ----------
    name
        Unique within the page.
    rows
        From top to bottom.
    label
        The x axis.
    limits
        Ends of the axis; what lies beyond is drawn at its end.
    border
        Value that separates the claim from its contrary.
    alt
        The figure in words.
    """
    low, high = limits

    def inside(value: float) -> float:
        return min(max(value, low), high)

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        heights = range(len(rows), 0, -1)
        for row, y in zip(rows, heights, strict=True):
            if row.interval is not None:
                axes.hlines([y], inside(row.interval[0]), inside(row.interval[1]), color=OBSERVED, linewidth=1.4)
        for marker, fill_colour, colour, text, values in (
            ("D", OBSERVED, OBSERVED, "shared animals taken out, 95 % interval", [row.value for row in rows]),
            ("s", "white", NEGATIVE.colour, "with shared animals", [row.with_shared_animals for row in rows]),
        ):
            for index, (row, y, value) in enumerate(zip(rows, heights, values, strict=True)):
                hollow = marker == "D" and row.interval is None
                axes.plot(
                    [inside(value)], [y], linestyle="none", marker=marker, markersize=6.0, color=colour, clip_on=False,
                    markerfacecolor="white" if hollow else fill_colour, label=text if index == 0 else None, gid=hover(str(row)),
                )  # fmt: skip
        axes.axvline(border, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", label="border of the claim", zorder=0)
        axes.set_yticks(list(heights), [row.name for row in rows])
        axes.set_ylim(0.4, len(rows) + 0.6)
        axes.set_xlim(low, high)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_xlabel(fill(label, _LABEL_LINE))
        legend_below(figure, axes, columns=1)

    return figure_svg(name, (WIDTH, 1.85 + 0.3 * len(rows)), alt, paint)

"""Rows of estimates, one below another: AUROCs with their intervals, and claim statistics beside their null."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, hover, legend_below
from responder_ml.report.figures.palette import GRID, NULL, OBSERVED, REFERENCE_LINE
from responder_ml.report.numbers import is_missing, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST_LINE = 20
_LABEL_LINE = 46


@dataclass(frozen=True)
class Row:
    """One estimate; ends of the interval may be missing, and ``leading`` ones are drawn solid."""

    name: str
    value: float
    low: float | None
    high: float | None
    leading: bool = False

    def __str__(self) -> str:
        """Return it in words."""
        ends = "" if self.low is None or self.high is None else f" ({plain(self.low)} to {plain(self.high)})"
        return f"{self.name}: {plain(self.value)}{ends}"


def forest(
    name: str, rows: Sequence[Row], words: tuple[str, str, str], alt: str, no_effect: tuple[float, str] | None = None
) -> Markup:
    """Draw estimates of AUROC with 95 % intervals, or of other things.

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
    no_effect
        Value with no effect and its name, where these are no AUROCs.
    """
    label, solid, hollow = words
    names = [_wrapped(row.name) for row in rows]
    reference, told = (0.5, "chance (0.5)") if no_effect is None else no_effect

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        heights = range(len(rows), 0, -1)
        for leading, marker, text in ((True, "D", solid), (False, "o", hollow)):
            some = [(row, y) for row, y in zip(rows, heights, strict=True) if row.leading is leading]
            for row, y in some:
                if row.low is not None and row.high is not None and not is_missing(row.low + row.high):
                    axes.hlines([y], row.low, row.high, color=OBSERVED, linewidth=1.4)
            for index, (row, y) in enumerate(some):
                axes.plot(
                    [row.value], [y], linestyle="none", marker=marker, markersize=6.5, color=OBSERVED, clip_on=False,
                    markerfacecolor=OBSERVED if leading else "white", label=text if index == 0 else None, gid=hover(str(row)),
                )  # fmt: skip
        axes.axvline(reference, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", label=told, zorder=0)
        axes.set_yticks(list(heights), names)
        axes.set_ylim(0.4, len(rows) + 0.6)
        if no_effect is None:
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
    parts = text.replace(" + ", " +\n").replace("+", "+\n").replace("+\n\n", "+\n").split("\n")
    return "\n".join(fill(part, _LONGEST_LINE, break_on_hyphens=False) for part in parts)


@dataclass(frozen=True)
class ClaimRow:
    """One value; ``null_low`` and ``null_high`` end the middle 95 % of its null."""

    name: str
    observed: float
    expected: float
    null_low: float
    null_high: float
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
        axes.set_xlabel(fill(label, _LABEL_LINE))
        legend_below(figure, axes, columns=1)

    return figure_svg(name, (WIDTH, 1.95 + 0.3 * len(names)), alt, paint)


def _paint_null(axes: "Axes", row: ClaimRow, y: float) -> None:
    axes.hlines([y], row.null_low, row.null_high, color=NULL, linewidth=5, zorder=0)
    axes.plot(
        [row.expected], [y], color=REFERENCE_LINE, marker="|", markersize=9, markeredgewidth=1.6, linestyle="none"
    )

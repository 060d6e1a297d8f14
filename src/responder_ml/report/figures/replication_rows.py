"""Correlations of two studies, each line with what was observed, what the same changes would give, and what no effect gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, hover, legend_below
from responder_ml.report.figures.palette import GRID, NEGATIVE, OBSERVED, POSITIVE, REFERENCE_LINE
from responder_ml.report.numbers import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ReplicationRow:
    """One correlation; what was not observed, or has no interval, is None."""

    name: str
    observed: float | None
    ends: tuple[float, float] | None
    same_changes: float | None
    no_effect: float

    def __str__(self) -> str:
        """Return it in words."""
        between = "" if self.ends is None else f" ({plain(self.ends[0])} to {plain(self.ends[1])})"
        observed = "" if self.observed is None else f"observed {plain(self.observed)}{between}, "
        return f"{self.name}: {observed}same changes {plain(self.same_changes)}, no effect {plain(self.no_effect)}"


def replication_rows(name: str, rows: Sequence[ReplicationRow], alt: str) -> Markup:
    """Draw the correlations, from top to bottom.

    Parameters
    ----------
    name
        Unique within the page.
    rows
        From top to bottom.
    alt
        The figure in words.
    """

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        heights = list(range(len(rows), 0, -1))
        for row, y in zip(rows, heights, strict=True):
            if row.ends is not None:
                axes.hlines([y], *row.ends, color=OBSERVED, linewidth=1.4, gid=hover(str(row)))
        marks = (
            ("observed, with 95 % interval", [row.observed for row in rows], "D", OBSERVED, OBSERVED, 0.0),
            (
                "if the true changes are the same",
                [row.same_changes for row in rows],
                "o",
                POSITIVE.colour,
                "white",
                0.2,
            ),
            ("with no effect", [row.no_effect for row in rows], "s", NEGATIVE.colour, "white", 0.2),
        )
        for text, values, marker, colour, fill, above in marks:
            some = [(value, y + above) for value, y in zip(values, heights, strict=True) if value is not None]
            if some:
                axes.plot(
                    [value for value, _ in some], [y for _, y in some], linestyle="none", marker=marker, markersize=6.5,
                    color=colour, markerfacecolor=fill, markeredgewidth=1.4, label=text, clip_on=False, zorder=3,
                )  # fmt: skip
        axes.axvline(0.0, color=REFERENCE_LINE, linewidth=1.0, zorder=0)
        axes.set_yticks(heights, [row.name.replace(" of ", " of\n") for row in rows])
        axes.set_ylim(0.5, len(rows) + 0.6)
        axes.set_xlim(-1.03, 1.03)
        axes.set_xticks([-1.0, -0.5, 0.0, 0.5, 1.0])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_xlabel("correlation")
        legend_below(figure, axes, columns=1)

    return figure_svg(name, (WIDTH, 1.35 + 0.5 * len(rows)), alt, paint)

"""Contribution of each leading gene or module, and its strength beside the limit from relabelled subjects."""

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, shortened
from responder_ml.report.figures.palette import GRID, NEGATIVE, OBSERVED, POSITIVE, REFERENCE_LINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DOT: dict[str, Any] = {"linestyle": "none", "marker": "D", "markersize": 4.5, "color": OBSERVED}
_LIMIT: dict[str, Any] = {"color": REFERENCE_LINE, "linewidth": 1.3, "linestyle": "--"}


def gene_bars(
    genes: pd.DataFrame, positive: str, negative: str, name: str = "gene-bars", unit: str = "log-odds"
) -> Markup:
    """Draw the mean absolute contribution of genes and, where it is known, their strength, from top to bottom.

    Parameters
    ----------
    genes
        Rows of the run's table ``genes``.
    positive, negative
        Names of the classes.
    name
        Unique within the page.
    unit
        Of contributions.
    """
    rows = genes.to_dict("records")
    names = [("★ " * (row["called_out"] == 1)) + shortened(row["gene"]) for row in rows]
    heights = list(range(len(rows), 0, -1))
    has_strength = "strength" in genes.columns and bool(genes["strength"].notna().any())

    def paint(figure: "Figure") -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        bars, strengths = (
            figure.subplots(1, 2, width_ratios=(3, 2), sharey=True) if has_strength else (figure.subplots(), None)
        )
        _paint_bars(bars, rows, heights)
        bars.set_yticks(heights, names)
        bars.set_ylim(0.3, len(rows) + 0.7)
        bars.tick_params(axis="y", length=0)
        bars.locator_params(axis="x", nbins=4)
        bars.set_xlabel(f"contribution,\nmean |{unit}|")
        handles: list[Any] = [
            Patch(facecolor=POSITIVE.colour, edgecolor=POSITIVE.colour, label=f"higher expression favours {positive}"),
            Patch(
                facecolor="white",
                edgecolor=NEGATIVE.colour,
                hatch="//////",
                label=f"higher expression favours {negative}",
            ),
            Line2D([], [], color=OBSERVED, linewidth=1.3, label="middle 95 % of repeats"),
        ]
        if strengths is not None:
            handles += _paint_strength(strengths, genes, heights)
        figure.legend(handles=handles, loc="outside lower center", ncols=1)

    first = rows[0]
    called = ", ".join(str(row["gene"]) for row in rows if row["called_out"] == 1)
    alt = f"Bars of {len(rows)} genes, from {first['gene']} with {first['contribution']:.3f} {unit} down" + (
        f"; called out: {called}." if called else "; none is called out."
    )
    return figure_svg(name, (WIDTH, 2.15 + 0.19 * len(rows)), alt, paint)


def _paint_bars(axes: "Axes", rows: list[dict[Any, Any]], heights: list[int]) -> None:
    for y, row in zip(heights, rows, strict=True):
        up = row["direction"] > 0
        axes.barh(
            y, row["contribution"], height=0.7, facecolor=POSITIVE.colour if up else "white",
            edgecolor=POSITIVE.colour if up else NEGATIVE.colour, hatch=None if up else "//////", linewidth=0.9,
        )  # fmt: skip
        # A white rim keeps the line visible on a dark bar.
        for colour, width in (("white", 3.0), (OBSERVED, 1.3)):
            axes.hlines([y], row["contribution_low"], row["contribution_high"], color=colour, linewidth=width)
    axes.set_xlim(left=0.0)
    axes.grid(axis="x", color=GRID, linewidth=0.8)


def _paint_strength(axes: "Axes", genes: pd.DataFrame, heights: list[int]) -> list[Any]:
    """Paint strengths and their limit; return the legend."""
    from matplotlib.lines import Line2D

    for y, strength, called in zip(heights, genes["strength"], genes["called_out"], strict=True):
        axes.plot([strength], [y], **_DOT, markerfacecolor=OBSERVED if called == 1 else "white")
    handles = [Line2D([], [], label="strength: mean contribution / standard error", markerfacecolor="white", **_DOT)]
    limit = genes["null_high"].max()
    if pd.notna(limit):
        axes.axvline(limit, **_LIMIT)
        handles.append(Line2D([], [], label="limit: strongest on permuted labels", **_LIMIT))
    axes.margins(x=0.12)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="both", color=GRID, linewidth=0.8)
    axes.set_xlabel("strength\n(consistency)")
    return handles

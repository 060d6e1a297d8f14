"""How much each leading gene contributes, with its spread over repeats."""

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, shortened
from responder_ml.report.figures.palette import GRID, NEGATIVE, OBSERVED, POSITIVE, REFERENCE_LINE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SUPPORT: dict[str, Any] = {
    "linestyle": "none",
    "marker": "D",
    "markersize": 4.5,
    "color": OBSERVED,
    "markerfacecolor": "white",
}
_LIMIT: dict[str, Any] = {"color": REFERENCE_LINE, "linewidth": 1.3, "linestyle": "--"}


def gene_bars(genes: pd.DataFrame, positive: str, negative: str) -> Markup:
    """Draw the mean absolute contribution of genes, largest on top.

    Parameters
    ----------
    genes
        Rows of the run's table ``genes``, largest contribution first.
    positive, negative
        Names of the classes.
    """
    rows = genes.to_dict("records")
    names = [shortened(row["gene"]) + " ★" * (row["called_out"] == 1) for row in rows]

    places = list(range(len(rows), 0, -1))
    supported = "support" in genes.columns and bool(genes["support"].notna().any())
    limit = genes["null_high"].max() if supported else float("nan")

    def paint(figure: "Figure") -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        axes = figure.subplots()
        for y, row in zip(places, rows, strict=True):
            up = row["direction"] > 0
            axes.barh(
                y, row["contribution"], height=0.7, facecolor=POSITIVE.colour if up else "white",
                edgecolor=POSITIVE.colour if up else NEGATIVE.colour, hatch=None if up else "//////", linewidth=0.9,
            )  # fmt: skip
            # A white rim keeps the line visible on a dark bar.
            for colour, width in (("white", 3.0), (OBSERVED, 1.3)):
                axes.hlines([y], row["contribution_low"], row["contribution_high"], color=colour, linewidth=width)
        speaks = "more of it speaks for"
        handles: list[Any] = [
            Patch(facecolor=POSITIVE.colour, edgecolor=POSITIVE.colour, label=f"{speaks} {positive}"),
            Patch(facecolor="white", edgecolor=NEGATIVE.colour, hatch="//////", label=f"{speaks} {negative}"),
            Line2D([], [], color=OBSERVED, linewidth=1.3, label="middle 95 % of repeats"),
        ]
        if supported:
            axes.plot(genes["support"], places, **_SUPPORT)
            handles.append(Line2D([], [], label="support: towards the true class", **_SUPPORT))
        if pd.notna(limit):
            axes.axvline(limit, **_LIMIT)
            handles.append(Line2D([], [], label="support of the best gene on shuffled labels", **_LIMIT))
        axes.set_yticks(places, names)
        axes.set_ylim(0.3, len(rows) + 0.7)
        axes.set_xlim(left=min(0.0, float(genes["support"].min()) * 1.1) if supported else 0.0)
        axes.locator_params(axis="x", nbins=5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_xlabel("mean contribution to held-out log-odds\n(bars: absolute)")
        figure.legend(handles=handles, loc="outside lower center", ncols=1)

    first = rows[0]
    alt = f"Bars of the {len(rows)} leading genes, from {first['gene']} with {first['contribution']:.3f} log-odds down."
    return figure_svg("gene-bars", (WIDTH, 1.85 + 0.19 * len(rows)), alt, paint)

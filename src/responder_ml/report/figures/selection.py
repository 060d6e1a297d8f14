"""How often each gene is used by the outer models."""

from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, shortened
from responder_ml.report.figures.palette import GRID, OBSERVED

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def selection(genes: pd.DataFrame, models: int) -> Markup:
    """Draw the share of outer models that use a gene, most used on top.

    Parameters
    ----------
    genes
        Columns ``gene`` and ``selection_frequency``, most used first.
    models
        Outer models.
    """
    names = [shortened(gene) for gene in genes["gene"]]
    shares = 100 * genes["selection_frequency"].to_numpy(dtype=float)

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        heights = list(range(len(names), 0, -1))
        axes.hlines(heights, 0, shares, color=OBSERVED, linewidth=1.1)
        axes.plot(shares, heights, linestyle="none", marker="o", markersize=5, color=OBSERVED)
        axes.set_yticks(heights, names)
        axes.set_ylim(0.3, len(names) + 0.7)
        axes.set_xlim(0, 102)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_xlabel(f"outer models that use the gene (%, n = {models})")

    alt = (
        f"Share of {models} outer models that use each of {len(names)} genes, from {shares[0]:.0f} % down to "
        f"{shares[-1]:.0f} %."
    )
    return figure_svg("selection", (WIDTH, 0.7 + 0.19 * len(names)), alt, paint)

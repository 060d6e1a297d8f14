"""Each sample's contribution of each leading gene, coloured by the gene's expression."""

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from responder_ml.arrays import Floats
from responder_ml.report.figures.canvas import BAR_HEIGHT, WIDTH, colour_bar, figure_svg, legend_below, shortened
from responder_ml.report.figures.palette import GRID, REFERENCE_LINE, scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MOST_DOTS = 120
"""Samples drawn per gene; of more, as many are taken evenly by rank of their contribution, so the shape stays."""

_BINS = 36
_STEP = 0.13
_ROW = 0.29
_TITLE = 24


def beeswarm(points: pd.DataFrame, genes: Sequence[str], positive: str, negative: str) -> Markup:
    """Draw one row of dots per gene.

    Parameters
    ----------
    points
        Rows of the run's table ``contributions``, with the class of each sample in ``label``.
    genes
        From top to bottom.
    positive, negative
        Names of the classes.
    """
    rows = [thinned(points[points["gene"] == gene].sort_values(["contribution", "sample"])) for gene in genes]
    shown = pd.concat(rows)
    widest = float(shown["contribution"].abs().max()) or 1.0
    strongest = float(shown["expression"].abs().max()) or 1.0

    def paint(figure: "Figure") -> None:
        axes, below = figure.subplots(2, 1, height_ratios=[_ROW * len(genes) + 0.1, BAR_HEIGHT])
        colours: dict[str, Any] = {"cmap": scale(), "vmin": -strongest, "vmax": strongest}
        for y, row in zip(range(len(genes), 0, -1), rows, strict=True):
            height = y + swarm(row["contribution"].to_numpy(dtype=np.float64), widest)
            for label, marker in ((1, "o"), (0, "s")):
                some = (row["label"] == label).to_numpy()
                axes.scatter(
                    row["contribution"].to_numpy()[some], height[some], c=row["expression"].to_numpy()[some],
                    marker=marker, s=19 if label else 16, edgecolors="#5f6b76", linewidths=0.4, **colours,
                )  # fmt: skip
        axes.axvline(0, color=REFERENCE_LINE, linewidth=1, linestyle="--", zorder=0)
        axes.set_yticks(range(len(genes), 0, -1), [shortened(gene) for gene in genes])
        axes.set_ylim(0.4, len(genes) + 0.6)
        axes.set_xlim(-1.08 * widest, 1.08 * widest)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel("contribution (log-odds)")
        axes.set_title(f"← towards\n{fill(negative, _TITLE)}", loc="left", fontsize=8.0)
        axes.set_title(f"towards →\n{fill(positive, _TITLE)}", loc="right", fontsize=8.0)
        shades = axes.collections[0]
        colour_bar(figure, shades, below, "log2 expression less its mean\n(dark: less than usual, bright: more)")
        for marker, text in (("o", positive), ("s", negative)):
            axes.plot([], [], linestyle="none", marker=marker, color="#1d2730", markerfacecolor="white", label=text)
        legend_below(figure, axes)

    alt = (
        f"Dots of {shown['sample'].nunique()} samples in {len(genes)} rows, one per gene; right of zero the gene favours "
        f"{positive}, left of zero {negative}."
    )
    return figure_svg("beeswarm", (WIDTH, 2.0 + _ROW * len(genes)), alt, paint)


def thinned(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep at most `MOST_DOTS` rows, evenly spaced in their order."""
    if len(rows) <= MOST_DOTS:
        return rows
    return rows.iloc[np.linspace(0, len(rows) - 1, MOST_DOTS).round().astype(int)]


def swarm(values: Floats, widest: float) -> Floats:
    """Return vertical offsets that keep dots of like values apart; within half a row."""
    bins = np.floor((values + widest) / (2 * widest) * _BINS).astype(int)
    offsets = np.zeros(len(values))
    for occupied in np.unique(bins):
        members = np.flatnonzero(bins == occupied)
        rank = np.arange(len(members))
        offsets[members] = np.where(rank % 2, 1, -1) * ((rank + 1) // 2) * _STEP
    most = np.abs(offsets).max(initial=0.0)
    return offsets * (0.42 / most) if most > 0.42 else offsets

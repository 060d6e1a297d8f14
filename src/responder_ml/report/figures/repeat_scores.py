"""Variation over splits of the same subjects: the AUROC of each repeat, and how often each gene is used."""

from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below, shortened
from responder_ml.report.figures.palette import GRID, NULL, OBSERVED, REFERENCE_LINE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_WITH_FOLDS = 30
_APART = 0.17


def repeat_scores(folds: pd.DataFrame) -> Markup:
    """Draw the AUROC of each repeat, and of each of its folds where repeats are few.

    Parameters
    ----------
    folds
        Columns ``repeat``, ``fold`` and ``auroc``; empty values are left out.
    """
    known = folds.dropna(subset=["auroc"])
    means = known.groupby("repeat")["auroc"].mean()

    def paint(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        if len(means) <= _MOST_WITH_FOLDS:
            axes.plot(
                known["repeat"] + 1 + _beside(known), known["auroc"], linestyle="none", marker="o", markersize=3.5,
                color="#8a96a1", markerfacecolor=NULL, markeredgewidth=0.7, label="one outer fold",
            )  # fmt: skip
        axes.plot(
            means.index + 1, means, linestyle="none", color=OBSERVED, marker="_", markersize=15, markeredgewidth=2.2,
            label="mean of the folds", zorder=1,
        )  # fmt: skip
        axes.axhline(0.5, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", zorder=0, label="chance (0.5)")
        axes.set_ylim(-0.04, 1.04)
        axes.set_xlabel("repeat of the outer folds")
        axes.set_ylabel("AUROC of held-out subjects")
        axes.set_xlim(0.4, means.index.max() + 1.6)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        legend_below(figure, axes, columns=3)

    alt = f"AUROC of {len(means)} repeats of the outer folds, between {means.min():.2f} and {means.max():.2f}."
    return figure_svg("repeats", (WIDTH, 2.7), alt, paint)


def _beside(folds: pd.DataFrame) -> "pd.Series[float]":
    """Return sideways offsets that keep folds of one repeat and one value apart."""
    groups = folds.groupby(["repeat", "auroc"])["auroc"]
    return _APART * (groups.cumcount() - (groups.transform("size") - 1) / 2)


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

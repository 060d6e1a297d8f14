"""Variation of the AUROC over splits of the same subjects."""

from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below
from responder_ml.report.figures.palette import NULL, OBSERVED, REFERENCE_LINE

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

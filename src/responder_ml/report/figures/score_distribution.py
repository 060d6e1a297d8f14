"""Where the scores of new samples lie among the held-out scores of the training subjects."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from responder_ml.arrays import Floats
from responder_ml.report.figures.canvas import WIDTH, figure_svg, hover
from responder_ml.report.figures.palette import NULL, OBSERVED, REFERENCE_LINE, look
from responder_ml.report.words import spoken

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BINS = 20


def score_distribution(new: Floats, held_out: Sequence[Floats], positive: str, negative: str) -> Markup:
    """Draw three histograms of one scale above one another: the new samples, and training subjects of each class.

    Parameters
    ----------
    new
        Probabilities of the new samples.
    held_out
        Held-out probabilities of the positive and of the negative training subjects.
    positive, negative
        Names of the classes.
    """
    positive, negative = spoken(positive), spoken(negative)
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    rows = [(f"new samples (n = {len(new):,})", new, NULL, OBSERVED)]
    rows += [
        (f"training, {name}, held out (n = {len(values):,})", values, look(label).fill or "white", look(label).colour)
        for label, name, values in zip((1, 0), (positive, negative), held_out, strict=False)
    ]

    def paint(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        panels = figure.subplots(len(rows), sharex=True, squeeze=False)[:, 0]
        for axes, (words, values, fill, edge) in zip(panels, rows, strict=True):
            counts, _ = np.histogram(values, edges)
            bars = axes.bar(edges[:-1], counts, width=edges[1], align="edge", color=fill, edgecolor=edge, linewidth=0.8)
            axes.set_title(words, loc="left")
            for low, high, bar, count in zip(edges, edges[1:], bars, counts, strict=False):
                bar.set_gid(hover(f"{low:.2f} to {high:.2f}: {count:,}"))
            axes.axvline(0.5, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", zorder=0)
            axes.set_xlim(0.0, 1.0)
            axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        panels[-1].set_xlabel(f"probability of {positive}")

    alt = f"Histograms of the probability of {positive}: " + "; ".join(
        f"{words}, median {np.median(values):.2f}" for words, values, *_ in rows if len(values)
    )
    return figure_svg("scores", (WIDTH, 0.5 + 1.15 * len(rows)), f"{alt}.", paint)

"""Where the observed value stands among relabelled subjects."""

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from responder_ml.arrays import Floats
from responder_ml.report.figures.canvas import WIDTH, figure_svg, hover, legend_below
from responder_ml.report.figures.palette import NULL, OBSERVED, REFERENCE_LINE
from responder_ml.report.numbers import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_BINS = 40


def null_distribution(
    name: str,
    values: Floats,
    reaching: int,
    observed: float,
    mean: float,
    *,
    words: str = "AUROC of the whole procedure",
    limits: tuple[float, float] = (0.0, 1.0),
) -> Markup:
    """Draw a histogram of the null with the observed value and the null's mean.

    Parameters
    ----------
    name
        Unique within the page.
    values
        The statistic of each relabelling.
    reaching
        How many of them are at or above the observed value, by the rule that gave p.
    observed, mean
        The statistic of the observed labels; mean of the null.
    words
        What the statistic is.
    limits
        Ends of the axis.
    """

    def paint(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        edges = np.linspace(*limits, _BINS + 1)
        order = np.sort(values)
        lower, _ = np.histogram(order[: len(order) - reaching], edges)
        higher, _ = np.histogram(order[len(order) - reaching :], edges)
        bars: dict[str, Any] = {"width": edges[1] - edges[0], "align": "edge"}
        below = axes.bar(
            edges[:-1],
            lower,
            color=NULL,
            edgecolor="white",
            linewidth=0.4,
            label=f"relabelled, lower: {lower.sum():,}",
            **bars,
        )
        above = axes.bar(
            edges[:-1], higher, bottom=lower, color="white", edgecolor=OBSERVED, hatch="/////",
            linewidth=np.where(higher > 0, 0.6, 0.0), label=f"as high or higher: {higher.sum():,}", **bars,
        )  # fmt: skip
        for low, high, *stack, count in zip(edges, edges[1:], below, above, lower + higher, strict=False):
            for bar in stack:
                bar.set_gid(hover(f"{plain(low)} to {plain(high)}: {count:,} of {len(values):,} relabellings"))
        # Behind the bars: one of relabellings as high as the observed value must not hide under its line.
        axes.axvline(observed, color=OBSERVED, linewidth=2.2, zorder=0.5, label=f"observed ({observed:.2f})")
        axes.axvline(mean, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", label=f"their mean ({mean:.2f})")
        axes.set_xlim(limits[0], limits[1] + 0.01 * (limits[1] - limits[0]))
        axes.set_ylim(0, 1.08 * max(int((lower + higher).max()), 1))
        axes.set_xlabel(words)
        axes.set_ylabel(f"relabellings (n = {len(values):,})")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        legend_below(figure, axes)

    alt = (
        f"Histogram of {words} in {len(values)} relabelled cohorts, mean {mean:.2f}; a thick line marks the observed "
        f"{observed:.2f}, which {reaching} of them reach."
    )
    return figure_svg(name, (WIDTH, 2.9), alt, paint)

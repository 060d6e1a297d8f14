"""An RRHO2 map: where two rankings of genes agree, and where they oppose each other."""

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from responder_ml.arrays import Floats
from responder_ml.report.figures.canvas import BAR_HEIGHT, WIDTH, colour_bar, figure_svg
from responder_ml.report.figures.palette import OBSERVED, scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rrho2_map(
    name: str, quadrants: tuple[Floats, Floats, Floats, Floats], names: tuple[str, str], largest: float, alt: str
) -> Markup:
    """Draw the four quadrants as one map.

    Parameters
    ----------
    name
        Unique within the page.
    quadrants
        -log10 p of up-up, up-down, down-up and down-down, by the sign in the first and in the second contrast; rows are list
        sizes in the first, the most extreme genes first.
    names
        The two contrasts.
    largest
        End of the colour scale, so that maps can be compared.
    alt
        The figure in words.
    """
    up_up, up_down, down_up, down_down = quadrants
    # From the genes most up in a contrast to those most down: the lists of the down half run outwards.
    overlaps = np.block([[up_up, up_down[:, ::-1]], [down_up[::-1], down_down[::-1, ::-1]]])
    height, width = up_up.shape

    def paint(figure: "Figure") -> None:
        axes, shades = figure.subplots(2, 1, height_ratios=[2.6, BAR_HEIGHT])
        mesh = axes.pcolormesh(
            np.arange(overlaps.shape[1] + 1), np.arange(overlaps.shape[0] + 1), overlaps, cmap=scale(), vmin=0.0,
            vmax=max(largest, 1.0), edgecolors="face", linewidth=0.2,
        )  # fmt: skip
        axes.axhline(height, color="white", linewidth=2.0)
        axes.axvline(width, color="white", linewidth=2.0)
        axes.set_ylim(overlaps.shape[0], 0)
        axes.set_xlim(0, overlaps.shape[1])
        axes.set_xticks([width / 2, (width + overlaps.shape[1]) / 2], ["up", "down"])
        axes.set_yticks([height / 2, (height + overlaps.shape[0]) / 2], ["up", "down"], rotation=90, va="center")
        axes.tick_params(length=0)
        axes.set_xlabel(names[1])
        axes.set_ylabel(names[0])
        axes.spines[:].set_visible(False)
        axes.set_aspect("auto")
        for row, column, text in (
            (0.25, 0.25, "agree"),
            (0.75, 0.75, "agree"),
            (0.25, 0.75, "oppose"),
            (0.75, 0.25, "oppose"),
        ):
            axes.text(
                column, 1 - row, text, transform=axes.transAxes, ha="center", va="center", fontsize=8, color=OBSERVED,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.5},
            )  # fmt: skip
        colour_bar(figure, mesh, shades, "overlap, −log10 p (no test: genes are not independent)")

    return figure_svg(name, (WIDTH, 3.9), alt, paint)

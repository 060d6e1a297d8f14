"""Expression of the leading genes over samples, under tracks that say what each sample is."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from responder_ml.arrays import Floats, Indices
from responder_ml.report.figures.canvas import BAR_HEIGHT, WIDTH, colour_bar, figure_svg, shortened
from responder_ml.report.figures.palette import SWATCHES, Swatch, scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# Narrower columns cannot hold a letter or a name.
_MOST_NAMED = 30


@dataclass(frozen=True)
class Track:
    """One row of annotation.

    Attributes
    ----------
    name
        What it says.
    codes
        Place of each column's value in ``values``; -1 where there is none.
    values
        The categories.
    first
        Place of the first category among letters and colours, so that no two tracks share a letter.
    """

    name: str
    codes: Indices
    values: tuple[str, ...]
    first: int = 0

    def letter(self, code: int) -> str:
        """Return the letter that stands for a category."""
        return ascii_letters[(self.first + code) % len(ascii_letters)]

    def swatch(self, code: int) -> Swatch:
        """Return the colours that stand for a category."""
        return SWATCHES[(self.first + code) % len(SWATCHES)]


@dataclass(frozen=True)
class Tile:
    """What the heat map shows.

    Attributes
    ----------
    values
        Log2 expression less the mean, genes x columns.
    genes, columns
        Names of rows and columns; ``columns`` is empty where each stands for several samples.
    boundary
        Number of columns of the first class.
    """

    values: Floats
    genes: Sequence[str]
    columns: Sequence[str]
    boundary: int


def heat_map(tile: Tile, tracks: Sequence[Track], alt: str) -> Markup:
    """Draw tracks above tiles.

    Parameters
    ----------
    tile
        Expression.
    tracks
        Annotation, from top to bottom.
    alt
        The figure in words.
    """
    count = tile.values.shape[1]
    heights = [0.16 * len(tracks) + 0.02, 0.19 * len(tile.genes), BAR_HEIGHT]

    def paint(figure: "Figure") -> None:
        above, below, shades = figure.subplots(3, 1, height_ratios=heights)
        _paint_tracks(above, tracks, count)
        limit = float(np.nanmax(np.abs(tile.values), initial=0.0)) or 1.0
        mesh = below.pcolormesh(
            np.arange(count + 1), np.arange(len(tile.genes) + 1), tile.values, cmap=scale(), vmin=-limit, vmax=limit,
            edgecolors="white", linewidth=0.4 if count <= _MOST_NAMED else 0.0,
        )  # fmt: skip
        below.axvline(tile.boundary, color="white", linewidth=3.0)
        below.set_xlim(0, count)
        below.set_ylim(len(tile.genes), 0)
        below.set_yticks(np.arange(len(tile.genes)) + 0.5, [shortened(gene) for gene in tile.genes])
        if tile.columns and count <= _MOST_NAMED:
            below.set_xticks(np.arange(count) + 0.5, [shortened(name) for name in tile.columns], rotation=90)
        else:
            below.set_xticks([])
        for axes in (above, below):
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
        colour_bar(figure, mesh, shades, "log2 expression less the gene's mean\n(dark: less than usual, bright: more)")

    names = (
        0.0 if not tile.columns or count > _MOST_NAMED else 0.075 * max(len(shortened(name)) for name in tile.columns)
    )
    return figure_svg("heat-map", (WIDTH, sum(heights) + 1.0 + names), alt, paint)


def _paint_tracks(axes: "Axes", tracks: Sequence[Track], count: int) -> None:
    from matplotlib.patches import Rectangle

    for row, track in enumerate(tracks):
        for column, code in enumerate(track.codes):
            if code < 0:
                continue
            fill, ink = track.swatch(int(code)).fill, track.swatch(int(code)).ink
            axes.add_patch(Rectangle((column, row), 1, 0.9, facecolor=fill, edgecolor="white", linewidth=0.4))
            if count <= _MOST_NAMED:
                letter = track.letter(int(code))
                axes.text(column + 0.5, row + 0.47, letter, ha="center", va="center", fontsize=7, color=ink)
    axes.set_ylim(len(tracks), 0)
    axes.set_xlim(0, count)
    axes.set_yticks(np.arange(len(tracks)) + 0.45, [shortened(track.name) for track in tracks])
    axes.set_xticks([])

"""Colours after Okabe and Ito, each with a marker, a line and a hatch of its own: no information is carried by colour alone.

References
----------
Okabe M, Ito K (2008) Color Universal Design.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.colors import Colormap


@dataclass(frozen=True)
class Look:
    """How one class is drawn; ``fill`` is None for an open marker."""

    colour: str
    marker: str
    fill: str | None


POSITIVE = Look("#0072B2", "o", "#0072B2")
NEGATIVE = Look("#D55E00", "s", None)

OBSERVED = "#1d2730"
BAND = "#56B4E9"
NULL = "#b7c0c8"
REFERENCE_LINE = "#5f6b76"
GRID = "#e6eaee"


@dataclass(frozen=True)
class Swatch:
    """Fill of a cell, and a colour legible on it."""

    fill: str
    ink: str


SWATCHES = (
    Swatch("#0072B2", "#ffffff"),
    Swatch("#D55E00", "#ffffff"),
    Swatch("#56B4E9", "#1d2730"),
    Swatch("#F0E442", "#1d2730"),
    Swatch("#009E73", "#ffffff"),
    Swatch("#CC79A7", "#1d2730"),
    Swatch("#E69F00", "#1d2730"),
    Swatch("#c3c9cf", "#1d2730"),
)
"""For annotation tracks, the two classes first; each cell also carries a letter."""

SHADES = 40
"""Steps of a colour scale; of 50 or more matplotlib makes a bitmap."""


# Relative luminance (WCAG 2) below which white letters have more contrast than black ones.
_DARK = 0.179


def scale() -> "Colormap":
    """Return a colour scale that rises in lightness, so it reads alike in grey and to colour-blind eyes."""
    from matplotlib import colormaps

    return colormaps["cividis"].resampled(SHADES)


def shade(share: float) -> Swatch:
    """Return the colours of a cell whose value lies at ``share`` of the scale; beyond its ends, those of the ends."""
    from matplotlib.colors import to_hex

    colour = scale()(min(max(share, 0.0), 1.0))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return Swatch(to_hex(colour), "#ffffff" if luminance < _DARK else "#000000")


def shade_auroc(auroc: float) -> Swatch:
    """Return the colours of a cell that shows an AUROC: darkest at chance (0.5) and below, brightest at 1."""
    return shade((auroc - 0.5) / 0.5)


def look(label: int) -> Look:
    """Return the look of a class, 1 positive or 0 negative."""
    return POSITIVE if label else NEGATIVE

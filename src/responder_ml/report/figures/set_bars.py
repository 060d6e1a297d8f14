"""Mean z of each leading gene set: which way its genes go, and whether that counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, hover, shortened
from responder_ml.report.figures.palette import GRID, OBSERVED, POSITIVE, REFERENCE_LINE
from responder_ml.report.numbers import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class SetBar:
    """One gene set: mean z of its genes, whether they differ together, and whether more than other genes do."""

    name: str
    mean_z: float
    differs: bool
    beyond: bool

    def __str__(self) -> str:
        """Return it in words."""
        words = "differs, more than other genes" if self.beyond else "differs" if self.differs else "does not count"
        return f"{self.name} {plain(self.mean_z)} ({words})"


def set_bars(name: str, bars: Sequence[SetBar], fdr: float, alt: str) -> Markup:
    """Draw one bar for each set.

    Parameters
    ----------
    name
        Unique within the page.
    bars
        From top to bottom.
    fdr
        Level of the false discovery rate at which a set counts.
    alt
        The figure in words.
    """
    looks: dict[str, dict[str, Any]] = {
        f"differs and more than other genes, FDR ≤ {fdr:g}": {"facecolor": POSITIVE.colour, "hatch": None},
        f"differs, FDR ≤ {fdr:g}": {"facecolor": "white", "hatch": "//////"},
        "does not count": {"facecolor": "white", "hatch": None},
    }
    both, one, none = looks

    def paint(figure: "Figure") -> None:
        from matplotlib.patches import Patch

        axes = figure.subplots()
        heights = list(range(len(bars), 0, -1))
        for bar, y in zip(bars, heights, strict=True):
            look = looks[both if bar.beyond else one if bar.differs else none]
            axes.barh(y, bar.mean_z, height=0.7, edgecolor=POSITIVE.colour, linewidth=0.9, gid=hover(str(bar)), **look)
        axes.axvline(0.0, color=REFERENCE_LINE, linewidth=1.0)
        axes.set_yticks(heights, [shortened(bar.name) for bar in bars], color=OBSERVED)
        axes.set_ylim(0.3, len(bars) + 0.7)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_xlabel("mean z of the genes; right: higher in\nthe positive class")
        handles = [Patch(edgecolor=POSITIVE.colour, label=text, **look) for text, look in looks.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=1)

    return figure_svg(name, (WIDTH, 1.9 + 0.22 * len(bars)), alt, paint)

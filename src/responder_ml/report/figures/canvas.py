"""From a painted matplotlib figure to an inline SVG: the same bytes for the same data, text that stays text.

Figures are about as wide as a phone, so that letters keep their size there; legends stand below the axes, never on data.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.layout_engine import LayoutEngine

WIDTH = 3.75
"""Inches; 360 CSS pixels."""
BAR_HEIGHT = 0.1
"""Inches of a colour bar."""

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "responder_ml",
    "svg.id": None,
    # Gene and class names are data: a dollar sign in one is no formula.
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9.0,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#5f6b76",
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "xtick.color": "#5f6b76",
    "ytick.color": "#5f6b76",
    "xtick.labelcolor": "#1d2730",
    "ytick.labelcolor": "#1d2730",
    "text.color": "#1d2730",
    "axes.labelcolor": "#1d2730",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "hatch.linewidth": 0.6,
    "figure.constrained_layout.use": True,
}
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE = re.compile(r"#([A-Za-z][\w.-]*)")
_LONGEST_NAME = 20
_LONGEST_LABEL = 26
# Letters in one row of a legend.
_LONGEST_LEGEND = 58
_HOVER = "hover: "
# Layouts often end on a half of the last digit, which the last bit of a sum would round up or down.
_OFF_HALVES = 0.00013
_ROUNDED = ("d", "x", "y", "transform", "points")


class Drawing(Markup):
    """A figure as SVG for a page, which can also be painted on a figure of matplotlib's.

    Attributes
    ----------
    size
        Width and height in inches.
    """

    size: tuple[float, float]
    _paint: Callable[["Figure"], None]

    @classmethod
    def of(cls, svg: str, size: tuple[float, float], paint: Callable[["Figure"], None]) -> "Drawing":
        """Return the drawing whose SVG is known."""
        drawing = cls(svg)
        drawing.size, drawing._paint = size, paint
        return drawing

    def axes(self, figure: "Figure | SubFigure | None" = None) -> "Axes":
        """Paint on a figure and return its first axes.

        Parameters
        ----------
        figure
            An empty figure, or part of one; a new one of pyplot's by default, which a notebook shows.
        """
        from matplotlib import pyplot, rc_context

        with rc_context(_STYLE), _ignoring_glyphs():
            if figure is None:
                figure = pyplot.figure(figsize=self.size, facecolor="white")
            self._paint(cast("Figure", figure))
        return figure.axes[0]


def figure_svg(name: str, size: tuple[float, float], alt: str, paint: Callable[["Figure"], None]) -> Drawing:
    """Paint a figure and return it as SVG to stand within a page.

    Parameters
    ----------
    name
        Unique within the page; begins the identifiers inside.
    size
        Width and height in inches.
    alt
        What the figure shows, in words.
    paint
        Draws on an empty figure.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    written = io.StringIO()
    with rc_context(_STYLE), _ignoring_glyphs():
        figure = Figure(figsize=size)
        canvas = FigureCanvasSVG(figure)
        paint(figure)
        # `savefig` would draw the figure once more, in vain, to lay it out.
        cast("LayoutEngine", figure.get_layout_engine()).execute(figure)
        figure.set_layout_engine("none")
        canvas.print_svg(written, metadata={"Date": None, "Creator": None})
    return Drawing.of(_inline(written.getvalue(), name, size, alt), size, paint)


@contextmanager
def _ignoring_glyphs() -> Iterator[None]:
    with warnings.catch_warnings():
        # Names in scripts the measuring font lacks are still shown by the browser, which has others.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


def hover(text: str) -> str:
    """Return the ``gid`` of an artist that tells its values, ``text``, where a pointer rests on it."""
    return f"{_HOVER}{text}"


def legend_below(figure: "Figure", axes: "Axes", columns: int = 2) -> None:
    """Put the legend under the axes, where no data are; long words take a line each."""
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    if columns * max(map(len, labels)) > _LONGEST_LEGEND:
        columns = 1
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, handlelength=1.8, columnspacing=1.2)


def colour_bar(figure: "Figure", shades: "ScalarMappable", axes: "Axes", text: str) -> None:
    """Paint the scale of ``shades`` into flat axes of its own."""
    bar = figure.colorbar(shades, cax=axes, orientation="horizontal")
    if bar.solids is not None:
        # Steps with their own colour as edge leave no light gaps between them.
        bar.solids.set_edgecolor("face")
    bar.set_label(text)


def shortened(name: object) -> str:
    """Return a name that leaves room for the data; tables carry it whole."""
    text = str(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def distinct_labels(names: Sequence[str]) -> dict[str, str]:
    """Return a label for each name that leaves room for the data; the ends of long names tell more than their middles."""
    labels: dict[str, str] = {}
    for name in names:
        short = name if len(name) <= _LONGEST_LABEL else f"{name[:13]}…{name[-12:]}"
        same = sum(label.startswith(short) for label in labels.values())
        labels[name] = f"{short} ({same + 1})" if same and short != name else short
    return labels


def _inline(svg: str, name: str, size: tuple[float, float], alt: str) -> str:
    root = ElementTree.fromstring(svg)
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in list(root.iter()):
        if _local(element.tag) in ("metadata", "style"):
            parents[element].remove(element)
    for element in list(root.iter()):
        if (told := element.attrib.get("id", "")).startswith(_HOVER):
            title = ElementTree.Element("title")
            title.text = told.removeprefix(_HOVER)
            element.insert(0, title)
    used = {
        match for element in root.iter() for value in element.attrib.values() for match in _REFERENCE.findall(value)
    }
    names = {old: f"{name}-{index}" for index, old in enumerate(_identifiers(root, used))}
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _clean(_local(key), value, names)
            for key, value in element.attrib.items()
            if _local(key) != "id" or value in names
        }
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": alt}
    root.set("style", f"width: {size[0] * 96:.0f}px")
    return ElementTree.tostring(root, encoding="unicode")


def _identifiers(root: ElementTree.Element, used: set[str]) -> list[str]:
    """Return the identifiers something refers to, in order of the document."""
    return [value for element in root.iter() if (value := element.attrib.get("id")) in used and value is not None]


def _clean(key: str, value: str, names: dict[str, str]) -> str:
    if key == "id":
        return names[value]
    if key in _ROUNDED:
        return _LONG_NUMBER.sub(lambda match: f"{float(match[0]) + _OFF_HALVES:.2f}", value).replace("\n", "")
    if key == "style":
        value = re.sub(r"\s*font-family:[^;]*(;|$)", "", value)
    return _REFERENCE.sub(lambda match: f"#{names.get(match[1], match[1])}", value)


def _local(tag: str) -> str:
    """Return a name without its namespace: inside a page none is needed, and none is an address."""
    return tag.rsplit("}", 1)[-1]

import re
import warnings
from xml.etree import ElementTree

import pytest

from responder_ml.report.figures.canvas import figure_svg, shortened
from responder_ml.report.figures.forest import Row, forest


def paint(text="x"):
    def draw(figure):
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], "o-", label=text)
        axes.set_xlabel(text)

    return draw


def test_the_same_figure_gives_the_same_bytes_without_date_or_address():
    first, second = (figure_svg("f", (3, 2), "words", paint()) for _ in range(2))
    assert first == second
    assert "http" not in first
    assert not re.search(r"\d{4}-\d\d-\d\d", first)


def test_identifiers_begin_with_the_name_and_are_all_used():
    svg = figure_svg("mine", (3, 2), "words", paint())
    identifiers = re.findall(r' id="([^"]+)"', svg)
    assert identifiers
    assert all(name.startswith("mine-") and (f'"#{name}"' in svg or f"(#{name})" in svg) for name in identifiers)


@pytest.mark.parametrize("text", ["<b>&", "$x_1$", "a \"b\" 'c'", "基因", "$"])
def test_text_stays_text(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = figure_svg("f", (3, 2), text, paint(text))
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == text
    assert text in [element.text for element in root.iter("text")]


def test_size_is_in_css_pixels():
    root = ElementTree.fromstring(figure_svg("f", (3, 2), "words", paint()))
    assert root.get("style") == "width: 288px"
    assert [float(edge) for edge in root.get("viewBox").split()] == [0, 0, 216, 144]


def test_long_names_leave_room():
    assert shortened("Zfp189") == "Zfp189"
    assert shortened("x" * 40) == "x" * 19 + "…"


def test_a_forest_bears_rows_without_interval():
    rows = [Row("this", 0.8, 0.6, 0.9, leading=True), Row("a+very_long_candidate_name", 0.5, None, float("nan"))]
    root = ElementTree.fromstring(forest("f", rows, ("AUROC", "solid", "open"), "two rows"))
    texts = [element.text for element in root.iter("text")]
    assert {"AUROC", "solid", "open", "this", "a+"} <= set(texts)

import pyarrow as pa
import pytest

from responder_ml.cohort.number_style import NumberStyle, find_style


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands"),
    [
        (["1.5", "2", "NA"], ".", ""),
        (["10,028", "9,97", "12"], ",", ""),
        (["10,028", "9,970", "12,100"], ",", ""),
        (["10,028", "1532"], ",", ""),
        (["1,046", "532", "7"], ".", ","),
        (["1,046.5", "532.25"], ".", ","),
        (["1,234,567", "12"], ".", ","),
        (["1.046,5", "532,25"], ",", "."),
        (["1.046", "532", "7"], ".", "."),
        (["1.046", "2.5"], ".", ""),
        (["1'046", "532"], ".", "'"),
        (["1 046,5", "532,1"], ",", " "),
        (["1,5", "2.0"], ".", ""),
    ],
)
def test_the_whole_table_tells_how_its_numbers_are_written(cells, decimal, thousands):
    assert find_style([pa.chunked_array([cells], pa.string())]) == NumberStyle(decimal, thousands)


@pytest.mark.parametrize(("mark", "decimal"), [(",", ","), (".", ".")])
def test_counts_have_thousands_where_other_numbers_may_have_decimals(mark, decimal):
    cells = pa.chunked_array([[f"3{mark}070", f"2{mark}110", f"1{mark}990"]])
    assert find_style([cells], counts=True) == NumberStyle(".", mark)
    assert find_style([cells]) == NumberStyle(decimal, "")


def test_numbers_become_plain():
    style = NumberStyle(",", ".")
    assert style.plain(pa.chunked_array([["1.046,5", "7"]])).to_pylist() == ["1046.5", "7"]
    assert style.note == "Numbers are written with decimal commas and with '.' between thousands."
    assert NumberStyle().note == ""

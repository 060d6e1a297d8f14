import math

import pytest

from responder_ml.report import numbers


def test_numbers_carry_their_whole_value():
    assert numbers.number(0.123456789) == '<data value="0.123456789">0.12</data>'
    assert numbers.signed(0.2) == '<data value="0.2">+0.20</data>'
    assert numbers.percent(0.456) == '<data value="0.456">46 %</data>'
    assert numbers.count(20000) == '<data value="20000">20,000</data>'
    assert numbers.interval((0.1, 0.9)) == '<data value="0.1">0.10</data> to <data value="0.9">0.90</data>'


def test_minus_signs_are_minus_signs_and_zero_has_none():
    assert "−0.02" in numbers.number(-0.02)
    assert ">0.00<" in numbers.number(-0.001)
    assert "−0.10" in numbers.signed_interval((-0.1, 0.2))


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_missing_numbers_are_said_to_be_missing(missing):
    for write in (numbers.number, numbers.signed, numbers.percent, numbers.count, numbers.p_value):
        assert "not estimated" in write(missing)
    assert "not estimated" in numbers.interval((missing, 1.0))
    assert "not estimated" in numbers.signed_interval((missing, 1.0))
    assert numbers.plain(missing) == "not estimated"


def test_no_interval_at_all():
    assert "not estimated" in numbers.interval(None)


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0139, "0.014"), (0.5, "0.5"), (1.0, "1"), (0.0, "0"), (0.000123, "0.00012"), (3.24e-7, "3.2 × 10⁻⁷")],
)
def test_p_values(p, text):
    assert numbers.p_text(p) == text


def test_brief_rounds_fractions_only():
    assert [numbers.brief(value) for value in (0.107900703, 50, "tmm", 0.0, 1e-4)] == [
        "0.108",
        "50",
        "tmm",
        "0",
        "0.0001",
    ]

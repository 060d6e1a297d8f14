import numpy as np
import pytest

from responder_ml.proposal.value_units import INTENSITIES, ask_for_units, guess_units


def _values(kind, rng):
    counts = rng.negative_binomial(2, 0.01, (12, 2000)).astype(float)
    million = counts / counts.sum(axis=1, keepdims=True) * 1e6
    rounded = np.floor(million)
    rounded[:, 0] += 1e6 - rounded.sum(axis=1)
    return {
        "counts": counts,
        "tpm": million,
        "rounded tpm": rounded,
        "log2": np.log2(million + 1),
        "z": rng.normal(size=(12, 2000)),
        "background subtracted": np.rint(counts * 10) - 50,
        "estimated counts or intensities": counts * 1.37 + 0.01,
    }[kind]


@pytest.mark.parametrize(
    ("kind", "units"),
    [
        ("counts", "counts"), ("tpm", "tpm"), ("rounded tpm", "tpm"), ("log2", "log2"), ("z", "log2"),
        ("background subtracted", INTENSITIES), ("estimated counts or intensities", ""),
    ],
)  # fmt: skip
def test_units_are_told_from_values(kind, units, rng):
    assert guess_units(_values(kind, rng)).units == units


def test_genes_with_missing_values_do_not_hide_the_units(rng):
    values = _values("log2", rng)
    values[3, :500] = np.nan
    assert guess_units(values).units == "log2"
    assert guess_units(np.full((4, 9), np.nan)).units == ""


def test_the_question_shows_what_was_seen(rng):
    question = ask_for_units(guess_units(_values("estimated counts or intensities", rng)))
    assert question.default is None
    assert "not whole" in question.text
    assert [option.answer for option in question.options] == ["counts", "tpm", "log2", INTENSITIES]

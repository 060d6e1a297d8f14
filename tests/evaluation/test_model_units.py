import numpy as np
import pytest

from responder_ml.cohort.alignment import match_genes
from responder_ml.errors import ExpressionError
from responder_ml.evaluation.model_units import ModelUnits, adopt_distribution

GENES = [f"Gene{index}" for index in range(40)]
TYPICAL = np.concatenate([np.zeros(5), np.geomspace(1, 5000, 35)])


def _units(units, wanted, by_order=False, names=GENES):
    matched = match_genes(names, GENES, {})
    return ModelUnits(matched, units, wanted, TYPICAL, by_order=by_order)


def test_order_is_kept_and_values_are_those_of_the_typical_sample():
    values = np.array([[3.0, -1.0, 10.0, 3.0]])
    adopted = adopt_distribution(values, np.array([8.0, 0.0, 2.0, 4.0]))
    # The lowest gene, the tie of the second and third places, and the highest.
    np.testing.assert_allclose(adopted, [[3.0, 0.0, 8.0, 3.0]])


def test_genes_that_the_typical_sample_has_alike_stay_apart(rng):
    values = rng.normal(size=(3, 40))
    adopted = adopt_distribution(values, TYPICAL)
    np.testing.assert_array_equal(np.argsort(adopted, axis=1), np.argsort(values, axis=1))
    np.testing.assert_allclose(np.sort(adopted, axis=1), np.sort(np.stack([TYPICAL] * 3), axis=1), atol=1e-6)


@pytest.mark.parametrize(("units", "wanted"), [("log2", "counts"), ("tpm", "counts"), ("counts", "log2")])
def test_a_model_of_orders_takes_other_units_and_says_so(units, wanted, rng):
    values = rng.permuted(np.linspace(4.1, 14, 40)[None], axis=1)
    values = np.rint(values * 100) if units == "counts" else values
    scale = _units(units, wanted, by_order=True)
    assert "order" in scale.note
    converted = scale.convert(["s"], values)
    np.testing.assert_array_equal(np.argsort(converted), np.argsort(values))
    assert _units(wanted, wanted, by_order=True).note == ""


def test_intensities_are_refused_with_the_remedy_and_counts_per_million_are_not(rng):
    counts = rng.poisson(TYPICAL + 1, size=(2, 40))
    million = np.log2((counts + 0.5) / (counts.sum(axis=1) + 1)[:, None] * 1e6)
    _units("log2", "counts").convert(["a", "b"], million)
    half = GENES[::2]
    _units("log2", "counts", names=half).convert(["a", "b"], million[:, ::2])
    intensities = np.stack([million[0], np.linspace(4.1, 14, 40)])
    with pytest.raises(ExpressionError, match=r"'b'.*pairs.*--align-batch"):
        _units("log2", "counts").convert(["a", "b"], intensities)


@pytest.mark.parametrize(("factor", "refused"), [(1 / 3.1, True), (1 / 2.9, False), (2.9, False), (3.1, True)])
def test_log2_values_must_add_up_to_a_million_within_a_factor_of_three(factor, refused):
    million = np.log2((TYPICAL + 1) / (TYPICAL + 1).sum() * 1e6 * factor)[None]
    if not refused:
        _units("log2", "counts").convert(["a"], million)
        return
    with pytest.raises(ExpressionError, match="share of a million"):
        _units("log2", "counts").convert(["a"], million)


def test_a_table_with_part_of_the_genes_must_add_up_to_their_part_of_a_million():
    # Genes 5 to 29 have about a twentieth of the typical library.
    weak = slice(5, 30)
    share = TYPICAL[weak].sum() / TYPICAL.sum()
    assert share < 1 / 3
    million = np.log2(TYPICAL[weak] / TYPICAL.sum() * 1e6)[None]
    _units("log2", "counts", names=GENES[weak]).convert(["a"], million)


@pytest.mark.parametrize(("units", "wanted"), [("tpm", "counts"), ("counts", "log2"), ("counts", "tpm")])
def test_other_units_are_refused_with_the_remedy(units, wanted):
    with pytest.raises(ExpressionError, match=f"trained on {wanted}.*pairs"):
        _units(units, wanted).convert(["s"], 100 * np.arange(40.0)[None])

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.cohort.units import check_units, convert_units, counts_from_log2
from responder_ml.errors import ExpressionError


@pytest.fixture
def log2(rng):
    return rng.normal(6, 3, size=(10, 2000)).clip(-5.9, 15)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_negative_binomial_counts_pass_as_counts(seed):
    rng = np.random.default_rng(seed)
    check_units(rng.negative_binomial(2, 0.01, size=(6, 50)).astype(float), "counts")


@pytest.mark.parametrize("units", ["Counts", "cpm", ""])
def test_unknown_units(units):
    with pytest.raises(ExpressionError, match="must be one of counts, log2, tpm"):
        check_units(np.ones((2, 2)), units)


@pytest.mark.parametrize("units", ["counts", "tpm"])
def test_negative_values_are_named(units):
    values = np.full((3, 4), 5.0)
    values[1, 2] = -1
    with pytest.raises(ExpressionError, match=r"1 value.*gene 'c', sample 'y', -1.*units: log2"):
        check_units(values, units, samples=["x", "y", "z"], genes=["a", "b", "c", "d"])


def test_fractional_counts_are_named_with_the_remedy_for_estimated_counts():
    values = np.full((3, 4), 500.0)
    values[2, 0] = 12.75
    with pytest.raises(
        ExpressionError, match=r"1 of 12 values.*gene '1', sample '3', 12.75.*rounding does not make counts"
    ):
        check_units(values, "counts")


def test_log2_declared_as_counts_or_tpm_is_recognised(log2):
    values = np.abs(log2) + 0.1
    with pytest.raises(ExpressionError, match="look like log2"):
        check_units(values, "counts")
    with pytest.raises(ExpressionError, match="look like log2"):
        check_units(values, "tpm")


def test_a_sample_of_zeros_is_named():
    values = np.ones((3, 4))
    values[1] = 0
    with pytest.raises(ExpressionError, match=r"1 sample\(s\) have only zeros: y\."):
        check_units(values, "counts", samples=["x", "y", "z"])


@pytest.mark.parametrize(("factor", "message"), [(1.0, "all are whole numbers"), (1.001, "stays below 64")])
def test_linear_values_are_not_log2(rng, factor, message):
    with pytest.raises(ExpressionError, match=message):
        check_units(rng.poisson(300, size=(5, 40)) * factor, "log2")


def test_a_double_log_is_noticed(log2):
    raw = log2.clip(0, None)
    check_units(raw, "log2")
    with pytest.raises(ExpressionError, match="logarithm was probably taken twice"):
        check_units(np.log2(raw + 1), "log2")


def test_gemmas_double_log_is_noticed_in_a_subset_too(rng):
    with pytest.raises(ExpressionError, match=r"2\.2\d* to 4\.\d+ over 60 genes"):
        check_units(rng.uniform(2.2, 4.2, size=(12, 60)), "log2")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda rng: rng.normal(size=(10, 5000)), id="standardised"),
        pytest.param(lambda rng: rng.uniform(-4, 4, size=(10, 5000)), id="log ratios"),
        pytest.param(lambda rng: rng.uniform(0, 5, size=(10, 80)), id="panel of weak genes"),
        pytest.param(lambda rng: rng.uniform(3, 5, size=(10, 3)), id="three genes"),
        pytest.param(lambda rng: rng.uniform(-5.86, 12.31, size=(10, 5000)), id="Gemma log2 CPM"),
        pytest.param(lambda rng: rng.uniform(4.36, 14.24, size=(10, 5000)), id="bead array VST"),
    ],
)
def test_narrow_but_honest_log2_values_pass(rng, make):
    check_units(make(rng), "log2")


def test_an_empty_matrix_is_refused():
    with pytest.raises(ExpressionError, match="3 samples x 0 genes"):
        check_units(np.empty((3, 0)), "log2")


REAL = {
    "gse102556_mouse_cvs": ("expression_counts.tsv.gz", "counts"),
    "gse146446_duloxetine": ("expression_vst.tsv.gz", "log2"),
    "gse224705_pathmed": ("expression_log2.tsv.gz", "log2"),
    "mouse_hippocampus_subfields": ("expression_counts.tsv.gz", "counts"),
    "microarray/golub": ("expression.tsv.gz", None),
    "microarray/alon": ("expression.tsv.gz", None),
    "microarray/singh": ("expression.tsv.gz", None),
    "microarray/pomeroy": ("expression.tsv.gz", "log2"),
}


@pytest.mark.shared
@pytest.mark.parametrize("folder", REAL)
def test_real_matrices_pass_in_their_units_and_in_no_other(shared_data, folder):
    name, right = REAL[folder]
    values = pd.read_csv(shared_data / folder / name, sep="\t", index_col=0).to_numpy(dtype=float).T
    for units in ("counts", "log2", "tpm"):
        # Counts and raw intensities without negative values cannot be told from TPM; the audit looks at their sums.
        if units == "tpm" and right != "log2" and values.min() >= 0:
            continue
        if units == right:
            check_units(values, units)
        else:
            with pytest.raises(ExpressionError):
                check_units(values, units)


@pytest.mark.shared
def test_golub_passes_once_the_logarithm_is_taken(shared_data):
    values = pd.read_csv(shared_data / "microarray/golub/expression.tsv.gz", sep="\t", index_col=0).to_numpy().T
    check_units(np.log2(values.clip(20, None).astype(float)), "log2")


@pytest.fixture
def counts(rng):
    mean = np.exp(rng.normal(size=2000) * 2 + 2)
    return rng.poisson(mean * rng.uniform(0.5, 2, size=(4, 1))).astype(float)


@pytest.mark.parametrize("decimals", [4, 16])
def test_log2_counts_per_million_become_the_counts_they_were(counts, decimals):
    library = counts.sum(axis=1, keepdims=True)
    log2 = np.log2((counts + 0.5) / (library + 1) * 1e6).round(decimals)
    counts_again = counts_from_log2(log2, 12345.0)
    small = counts < 1000
    np.testing.assert_array_equal(counts_again[small], counts[small])
    np.testing.assert_allclose(counts_again, counts, rtol=1e-4)


@pytest.mark.parametrize("offset", [1.0, 0.1, 2.0])
def test_another_offset_gives_the_same_profile_at_the_typical_depth(counts, offset):
    library = counts.sum(axis=1, keepdims=True)
    log2 = np.log2(counts / library * 1e6 + offset)
    counts_again = counts_from_log2(log2, 5e6)
    np.testing.assert_allclose(counts_again, counts / library * 5e6, rtol=1e-9, atol=1e-6)


def test_without_a_floor_the_usual_offsets_are_undone_at_the_typical_depth(counts):
    expressed = counts[:, (counts > 0).all(axis=0)][:, :50] + np.arange(50) * 3
    depth = 1e6
    log2 = np.log2((expressed + 0.5) / (depth + 1) * 1e6)
    np.testing.assert_allclose(counts_from_log2(log2, depth), expressed, rtol=1e-9)


def test_each_sample_is_converted_by_itself(counts):
    log2 = np.log2((counts + 0.5) / (counts.sum(axis=1, keepdims=True) + 1) * 1e6)
    together = counts_from_log2(log2, 1e6)
    for row in range(len(log2)):
        np.testing.assert_array_equal(counts_from_log2(log2[[row]], 1e6)[0], together[row])


@pytest.mark.parametrize("units", ["counts", "log2", "tpm"])
def test_the_same_units_stay_as_they_are(units, rng):
    values = rng.random((2, 3))
    assert convert_units(values, units, units, 1e6) is values


def test_log2_of_tpm_becomes_tpm_again():
    tpm = np.array([[0.0, 1.0, 2.5, 1000.0]])
    np.testing.assert_allclose(convert_units(np.log2(tpm + 1), "log2", "tpm", 0.0), tpm, atol=1e-12)
    np.testing.assert_array_equal(convert_units(np.array([[-0.01]]), "log2", "tpm", 0.0), 0.0)


def test_log2_counts_per_million_become_counts():
    counts = np.array([[3.0, 10.0, 200.0]])
    log2 = np.log2((counts + 0.5) / (1e7 + 1) * 1e6)
    np.testing.assert_allclose(convert_units(log2, "log2", "counts", 1e7), counts)


@pytest.mark.parametrize(
    ("units", "model_units", "ways"),
    [
        ("counts", "log2", "Give log2 made the way"),
        ("tpm", "log2", "Give log2 made the way"),
        ("tpm", "counts", "Give counts or log2."),
        ("counts", "tpm", "Give tpm or log2."),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_ways_there_are(units, model_units, ways):
    with pytest.raises(
        ExpressionError, match=f"declared as {units}, but the model was trained on {model_units}"
    ) as error:
        convert_units(np.ones((1, 1)), units, model_units, 1e6)
    assert ways in str(error.value)

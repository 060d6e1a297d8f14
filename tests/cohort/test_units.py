import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.cohort.units import check_units
from responder_ml.exceptions import ExpressionError


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
    with pytest.raises(ExpressionError, match=r"1 of 12 values.*gene '1', sample '3', 12.75.*Round estimated counts"):
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
    with pytest.raises(ExpressionError, match=r"1 sample\(s\) hold nothing but zeros: y\."):
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

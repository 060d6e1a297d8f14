from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.errors import ContrastError
from responder_ml.statistics.linear_model import fit_linear_model

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def _golden(name):
    return pd.read_csv(GOLDEN / f"limma_{name}.csv")


@pytest.fixture(scope="module")
def cells():
    """One column per group and one for batch b: the design of limma.R."""
    samples = _golden("samples")
    groups = [samples["group"] == name for name in ("control", "susceptible", "drug")]
    return np.column_stack([*groups, samples["batch"] == "b"]).astype(float)


@pytest.fixture(scope="module")
def treatment(cells):
    """Intercept, susceptible, drug, batch b."""
    return np.column_stack([np.ones(len(cells)), cells[:, 1:]])


@pytest.fixture(scope="module")
def expression():
    return _golden("voom_expression").set_index("gene").to_numpy().T


def _assert_equal(fit, table, names):
    for row, name in enumerate(names):
        golden = table[table["contrast"] == name]
        for ours, theirs in (
            (fit.effect[row], "coefficient"),
            (fit.stdev_unscaled[row], "stdev_unscaled"),
            (fit.sigma, "sigma"),
            (fit.t[row], "t"),
            (fit.p[row], "p"),
        ):
            np.testing.assert_allclose(ours, golden[theirs], rtol=1e-8, atol=1e-11, err_msg=theirs)
        assert fit.df_residual == golden["df_residual"].iloc[0]
        assert fit.df_total == pytest.approx(golden["df_total"].iloc[0], rel=1e-8)
        np.testing.assert_array_equal(np.argsort(np.argsort(fit.p[row], kind="stable")) + 1, golden["rank"])


def test_contrasts_of_groups_with_batch_equal_limma(expression, cells):
    contrasts = np.array([[-1, 1, 0, 0], [0, -1, 1, 0]], dtype=float)
    _assert_equal(fit_linear_model(expression, cells, contrasts), _golden("plain"), ["stress", "drug_effect"])


def test_weighted_coefficients_equal_limma(expression, treatment):
    weights = _golden("voom_weights").set_index("gene").to_numpy().T
    fit = fit_linear_model(expression, treatment, np.eye(4)[1:3], weights)
    _assert_equal(fit, _golden("weighted"), ["susceptible", "drug"])


def test_prior_equals_limma(expression, cells):
    golden = _golden("prior").set_index("model").loc["plain"]
    fit = fit_linear_model(expression, cells)
    assert fit.prior_df == pytest.approx(golden["prior_df"], rel=1e-8)
    assert fit.prior_variance == pytest.approx(golden["prior_variance"], rel=1e-8)


def test_weighted_contrast_does_not_depend_on_the_coding(expression, cells, treatment, rng):
    weights = rng.gamma(3, size=expression.shape)
    by_cell = fit_linear_model(expression, cells, np.array([[0.0, -1, 1, 0]]), weights)
    by_treatment = fit_linear_model(expression, treatment, np.array([[0.0, -1, 1, 0]]), weights)
    np.testing.assert_allclose(by_cell.t, by_treatment.t, rtol=1e-8)


def test_equal_weights_change_t_of_no_gene(expression, cells):
    plain = fit_linear_model(expression, cells)
    np.testing.assert_allclose(fit_linear_model(expression, cells, weights=np.full(expression.shape, 4.0)).t, plain.t)


def test_gene_that_never_varies_has_t_zero_and_p_one(rng):
    expression = rng.normal(size=(8, 40))
    expression[:, 3] = 2.0
    fit = fit_linear_model(expression, np.column_stack([np.ones(8), np.arange(8) < 4]).astype(float))
    assert abs(fit.t[1, 3]) < 1e-10
    assert fit.p[1, 3] == pytest.approx(1.0)


def test_batch_nested_in_group_is_refused(expression, cells):
    nested = np.column_stack([cells[:, :3], cells[:, 0]])
    with pytest.raises(ContrastError, match="cannot be told apart"):
        fit_linear_model(expression, nested)


def test_design_without_residual_is_refused(rng):
    with pytest.raises(ContrastError, match="leave nothing"):
        fit_linear_model(rng.normal(size=(3, 10)), np.eye(3))


def test_missing_expression_is_refused(expression, cells):
    broken = expression.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ContrastError, match="finite"):
        fit_linear_model(broken, cells)

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
def expression():
    return _golden("voom_expression").set_index("gene").to_numpy().T


def test_contrasts_of_groups_with_batch_equal_limma(expression, cells):
    fit = fit_linear_model(expression, cells, np.array([[-1, 1, 0, 0], [0, -1, 1, 0]], dtype=float))
    table = _golden("plain")
    for row, name in enumerate(["stress", "drug_effect"]):
        golden = table[table["contrast"] == name]
        for ours, theirs in (
            (fit.effect[row], "coefficient"),
            (np.full(fit.sigma.size, fit.stdev_unscaled[row]), "stdev_unscaled"),
            (fit.sigma, "sigma"),
            (fit.t[row], "t"),
            (fit.p[row], "p"),
        ):
            np.testing.assert_allclose(ours, golden[theirs], rtol=1e-8, atol=1e-11, err_msg=theirs)
        assert fit.df_residual == golden["df_residual"].iloc[0]
        assert fit.df_total == pytest.approx(golden["df_total"].iloc[0], rel=1e-8)
        np.testing.assert_array_equal(np.argsort(np.argsort(fit.p[row], kind="stable")) + 1, golden["rank"])


@pytest.mark.parametrize(("model", "rows", "columns"), [("plain", slice(12), slice(4)), ("pair", slice(8), slice(2))])
def test_prior_equals_limma(expression, cells, model, rows, columns):
    golden = _golden("prior").set_index("model").loc[model]
    fit = fit_linear_model(expression[rows], cells[rows, columns])
    assert fit.prior_df == pytest.approx(golden["prior_df"], rel=1e-8)
    assert fit.prior_variance == pytest.approx(golden["prior_variance"], rel=1e-8)


def test_gene_that_never_varies_has_t_zero_and_p_one(rng):
    expression = rng.normal(size=(8, 40))
    expression[:, 3] = 2.0
    fit = fit_linear_model(expression, np.column_stack([np.ones(8), np.arange(8) < 4]).astype(float))
    assert abs(fit.t[1, 3]) < 1e-10
    assert fit.p[1, 3] == pytest.approx(1.0)


def test_batch_nested_in_group_is_refused(expression, cells):
    nested = np.column_stack([cells[:, :3], cells[:, 0]])
    with pytest.raises(ContrastError, match="cannot be distinguished"):
        fit_linear_model(expression, nested)


def test_design_without_residual_is_refused(rng):
    with pytest.raises(ContrastError, match="leave nothing"):
        fit_linear_model(rng.normal(size=(3, 10)), np.eye(3))


def test_missing_expression_is_refused(expression, cells):
    broken = expression.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ContrastError, match="finite"):
        fit_linear_model(broken, cells)

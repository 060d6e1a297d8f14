"""Columns less what is linear in covariates, against limma and scikit-learn, and what cannot be removed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from responder_ml.statistics.covariate_space import CovariateSpace, adjust

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
AGE = [8.1, 9.4, 8.8, 10.2, 9.0, 11.5, 9.9, 10.7]


def _centred(values):
    return values - values.mean(axis=0)


def test_training_rows_equal_removebatcheffect_of_limma():
    samples = pd.read_csv(GOLDEN / "limma_samples.csv")[:8]
    expression = pd.read_csv(GOLDEN / "limma_voom_expression.csv").set_index("gene").to_numpy().T[:8]
    removed = pd.read_csv(GOLDEN / "limma_adjusted.csv")[samples["sample"]].to_numpy().T
    covariates = np.column_stack([samples["batch"] == "b", AGE]).astype(float)
    residual = CovariateSpace.of(np.ones((1, 8), dtype=bool), covariates).residual(0, expression)
    # limma leaves the level of a gene at covariates of 0, this its mean: a constant per gene.
    np.testing.assert_allclose(_centred(residual), _centred(removed), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(residual.mean(axis=0), expression.mean(axis=0))


def test_held_out_rows_equal_a_regression_fitted_to_training_rows_and_change_nothing_that_is_learnt(rng):
    covariates = np.column_stack([rng.normal(size=20) * 1e6, rng.integers(0, 2, 20)])
    values = rng.normal(size=(20, 30)) + covariates[:, :1] / 1e5 + 8.0
    rows = np.arange(20) < 14
    residual = CovariateSpace.of(rows[None], covariates).residual(0, values)
    # On one scale: scikit-learn drops what is a millionth of the rest.
    scaled = covariates / [1e6, 1.0]
    model = LinearRegression().fit(scaled[rows], values[rows])
    expected = values - model.predict(scaled) + values[rows].mean(axis=0)
    np.testing.assert_allclose(residual, expected, rtol=1e-9)
    spoilt, spoilt_covariates = values.copy(), covariates.copy()
    spoilt[~rows], spoilt_covariates[~rows] = np.inf, -1e9
    again = CovariateSpace.of(rows[None], spoilt_covariates)
    np.testing.assert_array_equal(again.residual(0, spoilt)[rows], residual[rows])


def test_new_samples_get_what_held_out_rows_get(rng):
    covariates, values = rng.normal(size=(12, 2)), rng.normal(size=(12, 5))
    # The third column is determined by the covariates on training rows, and by nothing on the others.
    values[:9, 2] = covariates[:9] @ [1.0, -2.0] + 3.0
    rows = np.arange(12) < 9
    space = CovariateSpace.of(rows[None], covariates)
    coefficients, constant = space.coefficients(0, values[rows])
    new = adjust(values[~rows], covariates[~rows], space.mean[0], coefficients, constant)
    np.testing.assert_allclose(new, space.residual(0, values)[~rows], rtol=1e-12)
    assert np.ptp(space.residual(0, values)[:, 2]) == 0
    assert np.isnan(constant).tolist() == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("covariates", "rank"), [("constant", 0), ("collinear", 1), ("tiny", 1), ("level not there", 0)]
)
def test_covariates_that_say_nothing_more_on_the_rows_count_for_nothing(rng, covariates, rank):
    rows = np.arange(10) < 7
    age = rng.normal(size=10)
    columns = {
        "constant": np.full((10, 1), 0.1),
        "collinear": np.column_stack([age, 7.0 * age - 3.0]),
        "tiny": 1e-9 * age[:, None],
        "level not there": (~rows).astype(float)[:, None],
    }[covariates]
    space = CovariateSpace.of(rows[None], columns)
    assert space.rank[0] == rank
    values = rng.normal(size=(10, 4))
    expected = values if rank == 0 else CovariateSpace.of(rows[None], age[:, None]).residual(0, values)
    np.testing.assert_allclose(space.residual(0, values), expected, atol=1e-9)


def test_what_is_left_of_training_rows_is_independent_of_the_error_of_the_coefficients_only_without_the_label():
    """Simulated: expression follows the covariate and not the class, which the covariate goes with.

    The score of a held-out pair along the training rows' difference of the classes is centred at 0 without the label in the
    design, and systematically on the wrong or right side with it.
    """
    rng = np.random.default_rng(20261129)
    rows = np.arange(14) < 12
    label = np.tile([0.0, 1.0], 7)
    blind, with_label = [], []
    for _ in range(2000):
        covariate = label + rng.normal(size=14) * 0.5
        values = rng.normal(size=(14, 3))
        residual = CovariateSpace.of(rows[None], covariate[:, None]).residual(0, values)
        weights = residual[rows].T @ (label[rows] - 0.5)
        blind.append((residual[13] - residual[12]) @ weights)
        design = np.column_stack([np.ones(12), covariate[rows], label[rows]])
        slope = np.linalg.lstsq(design, values[rows], rcond=None)[0][1]
        other = values - covariate[:, None] * slope
        weights = (other[rows] - other[rows].mean(axis=0)).T @ (label[rows] - 0.5)
        with_label.append((other[13] - other[12]) @ weights)

    def z(scores):
        return np.mean(scores) / np.std(scores) * np.sqrt(len(scores))

    assert abs(z(blind)) < 3.0
    assert z(with_label) > 10.0

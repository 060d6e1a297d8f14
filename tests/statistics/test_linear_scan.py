"""The single-precision scan of linear models against statsmodels' formula by hand, limma and the two-group scan."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.statistics.columns import Columns
from responder_ml.statistics.linear_scan import exact_strength, scan_linear
from responder_ml.statistics.many_contrasts import Designs
from responder_ml.statistics.moderated_t import best_columns
from responder_ml.statistics.squeeze import fit_f_dist
from responder_ml.statistics.training_sets import TrainingSets
from responder_ml.statistics.two_group_scan import scan

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
N_SAMPLES, N_COLUMNS, N_SETS = 20, 1500, 5


@pytest.fixture
def rows(rng):
    rows = np.ones((N_SETS, N_SAMPLES), dtype=bool)
    for row in rows:
        row[rng.choice(N_SAMPLES, 4, replace=False)] = False
    return rows


@pytest.fixture
def values(rng):
    return rng.normal(size=(N_SAMPLES, N_COLUMNS)) * rng.gamma(2, size=N_COLUMNS) + rng.normal(size=N_COLUMNS) * 5


def _one_by_one(values, outcome, covariates):
    """Return what the outcome explains beyond the others, the residual sum of squares, and the prior sum of squares."""

    def squares(design):
        return np.sum((values - design @ np.linalg.lstsq(design, values, rcond=None)[0]) ** 2, axis=0)

    others = np.column_stack([np.ones(len(values)), covariates])
    within = squares(np.column_stack([others, outcome]))
    df = len(values) - others.shape[1] - 1
    prior_df, prior_variance = fit_f_dist(within / df, df)
    return squares(others) - within, within, float(prior_df * prior_variance)


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("with_shifts", [False, True])
def test_strengths_and_priors_equal_least_squares_of_each_model(rng, rows, values, graded, with_shifts):
    outcome = rng.normal(size=rows.shape) if graded else rng.integers(0, 2, rows.shape).astype(float)
    covariates = np.column_stack([rng.normal(size=N_SAMPLES) * 1e5, rng.integers(0, 2, N_SAMPLES)])
    shifts = rng.normal(size=rows.shape) if with_shifts else None
    columns, designs = Columns.prepare(values), Designs.of_outcome(rows, outcome, covariates)
    analysis = scan_linear(columns.pieces, N_COLUMNS, designs, shifts=shifts)
    for index, within_set in enumerate(rows):
        moved = values if shifts is None else values + shifts[index][:, None]
        between, within, prior = _one_by_one(moved[within_set], outcome[index][within_set], covariates[within_set])
        assert analysis.prior[index] == pytest.approx(prior, rel=1e-4)
        np.testing.assert_allclose(analysis.strengths()[index], between / (prior + within), rtol=1e-3, atol=1e-4)
        shift = np.zeros(N_SAMPLES) if shifts is None else shifts[index]
        exact = exact_strength(columns.by_column, np.arange(N_COLUMNS), designs, index, shift, prior)
        np.testing.assert_allclose(exact, between / (prior + within), rtol=1e-7, atol=1e-12)


def test_of_two_classes_without_covariates_it_equals_the_two_group_scan(rng, rows, values):
    labels = rng.permuted(np.tile(np.arange(N_SAMPLES) % 2, (N_SETS, 1)).astype(np.int8), axis=1)
    usable = rng.random((N_SETS, N_COLUMNS)) < 0.8
    pieces = Columns.prepare(values).pieces
    two_groups = scan(pieces, N_COLUMNS, TrainingSets(rows, labels), usable)
    linear = scan_linear(pieces, N_COLUMNS, Designs.of_outcome(rows, labels.astype(float)), usable)
    np.testing.assert_allclose(linear.prior, two_groups.prior, rtol=1e-5)
    for index in range(N_SETS):
        np.testing.assert_allclose(linear.strengths()[index], two_groups.strengths()[index], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("squeezed", [False, True])
def test_ranking_equals_limma_with_batch_and_a_measurement_in_the_design(squeezed):
    samples = pd.read_csv(GOLDEN / "limma_samples.csv")[:8]
    expression = pd.read_csv(GOLDEN / "limma_voom_expression.csv").set_index("gene").to_numpy().T[:8]
    golden = pd.read_csv(GOLDEN / "limma_adjusted.csv")
    covariates = np.column_stack([samples["batch"] == "b", [8.1, 9.4, 8.8, 10.2, 9.0, 11.5, 9.9, 10.7]]).astype(float)
    labels = (samples["group"] == "susceptible").to_numpy().astype(np.int8)
    sets = TrainingSets(np.ones((1, 8), dtype=bool), labels[None])
    (best,) = best_columns(Columns.prepare(expression), sets, 25, covariates=covariates, squeezed=squeezed)
    if squeezed:
        assert best.tolist() == np.argsort(-np.abs(golden["t"]), kind="stable")[:25].tolist()
    else:
        between, within, _ = _one_by_one(expression, labels, covariates)
        f = np.divide(between, within, out=np.zeros_like(within), where=within > 1e-9)
        assert best.tolist() == np.argsort(-f, kind="stable")[:25].tolist()


def test_ties_go_to_the_lower_position_and_what_is_constant_or_determined_comes_last(rng, rows):
    values = rng.normal(size=(N_SAMPLES, 90))
    covariate = rng.normal(size=(N_SAMPLES, 1))
    values[:, 40:60] = values[:, :20]
    values[:, 60:70] = 0.1
    values[:, 70:] = 3.0 * covariate + rng.normal(size=20)
    labels = np.tile(np.arange(N_SAMPLES) % 2, (N_SETS, 1)).astype(np.int8)
    for best in best_columns(Columns.prepare(values), TrainingSets(rows, labels), 90, covariates=covariate):
        order = {int(column): rank for rank, column in enumerate(best)}
        assert all(order[column + 40] == order[column] + 1 for column in range(20))
        assert sorted(order[column] for column in range(60, 90)) == list(range(60, 90))


@pytest.mark.parametrize("covariates", ["the label", "as many as rows"])
def test_where_nothing_can_be_told_from_covariates_all_columns_rank_equal(rng, rows, values, covariates):
    labels = np.tile(np.arange(N_SAMPLES) % 2, (N_SETS, 1)).astype(np.int8)
    columns = labels[0][:, None] * 2.0 if covariates == "the label" else rng.normal(size=(N_SAMPLES, 15))
    for best in best_columns(Columns.prepare(values), TrainingSets(rows, labels), 7, covariates=columns):
        assert best.tolist() == list(range(7))

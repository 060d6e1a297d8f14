"""Camera and roast against limma (golden files), under their null, and where they are easily fooled."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from responder_ml.contrasts.camera import camera
from responder_ml.contrasts.gene_effects import GeneEffects, bailey_z, z_of_t
from responder_ml.contrasts.roast import draw_rotations, roast
from responder_ml.errors import ContrastError

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def limma():
    table = pd.read_csv(GOLDEN / "limma_sets.csv")
    expression = pd.read_csv(GOLDEN / "limma_voom_expression.csv", index_col=0).to_numpy().T
    sheet = pd.read_csv(GOLDEN / "limma_samples.csv")
    columns = [sheet["batch"] == "b", sheet["group"] == "control", sheet["group"] == "susceptible"]
    design = np.column_stack([np.ones(len(sheet)), *columns]).astype(float)
    members = np.zeros((expression.shape[1], len(table)))
    for number, (genes, signs) in enumerate(zip(table["genes"], table["signs"], strict=True)):
        members[np.array(genes.split(), dtype=int) - 1, number] = np.array(signs.split(), dtype=float)
    return GeneEffects.of(expression, design), sparse.csr_array(members), table


def test_camera_agrees_with_limma_on_800_sets(limma):
    effects, members, table = limma
    one_sided = table["camera"].notna().to_numpy()
    for correlation, name in ((None, "camera"), (0.01, "camera_preset")):
        result = camera(effects, members[:, one_sided], correlation)
        # limma turns t into z by Hill's approximation, here it is exact; the smallest p is about 1e-40.
        np.testing.assert_allclose(np.log(result["p"]), np.log(table.loc[one_sided, name]), rtol=2e-4, atol=2e-5)
    assert ((result["t"] > 0) == (table.loc[one_sided, "camera_direction"] == "Up")).all()
    estimated = camera(effects, members[:, one_sided])["correlation"]
    np.testing.assert_allclose(estimated, table.loc[one_sided, "correlation"], atol=1e-10)


def test_roast_agrees_with_limma_on_the_same_rotations_of_1000_sets(limma):
    effects, members, table = limma
    drawn = pd.read_csv(GOLDEN / "limma_sets_rotations.csv").to_numpy()
    result = roast(effects, members, drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
    np.testing.assert_allclose(result["p"], table["roast"], rtol=1e-12)
    np.testing.assert_allclose(result["p_mixed"], table["roast_mixed"], rtol=1e-12)


def _one_sided(members, n_genes):
    return sparse.csr_array(np.isin(np.arange(n_genes), members).astype(float)[:, None])


def _correlated(rng, n=13, genes=120, modules=6):
    """Return expression whose genes are correlated in modules, and the module of each gene."""
    module = np.arange(genes) % modules
    return rng.normal(size=(n, genes)) + 1.5 * rng.normal(size=(n, modules))[:, module] + 8.0, module


def test_both_tests_hold_their_level_for_correlated_genes_and_a_preset_correlation_does_not():
    rng = np.random.default_rng(20261129)
    design = np.column_stack([np.ones(13), np.arange(13) % 3 == 0, np.arange(13) < 6]).astype(float)
    p_values = []
    for _ in range(300):
        expression, module = _correlated(rng, genes=600, modules=40)
        effects = GeneEffects.of(expression, design)
        members = _one_sided(np.flatnonzero(module == 0), len(module))
        rotated = roast(effects, members, draw_rotations(99, effects.df_residual + 1, rng))
        p_values.append([rotated["p"][0], rotated["p_mixed"][0], camera(effects, members)["p"][0],
                         camera(effects, members, 0.01)["p"][0]])  # fmt: skip
    shares = np.mean(np.array(p_values) <= 0.05, axis=0)
    low, high = stats.binom.interval(0.99, 300, 0.05)
    assert np.all(shares[:2] * 300 >= low)
    assert np.all(shares[:3] * 300 <= high)
    assert shares[3] > 0.2


def test_a_difference_is_seen_in_the_direction_of_the_set(rng):
    expression, module = _correlated(rng, n=30, genes=400, modules=20)
    classes = np.arange(30) % 2
    up, down = np.flatnonzero(module == 1), np.flatnonzero(module == 2)
    expression[:, up] += 3.0 * classes[:, None]
    expression[:, down] -= 3.0 * classes[:, None]
    effects = GeneEffects.of(expression, np.column_stack([np.ones(30), classes]).astype(float))
    signs = np.zeros((400, 3))
    signs[up, 0] = 1.0
    signs[up, 1], signs[down, 1] = 1.0, -1.0
    signs[up, 2], signs[down, 2] = 1.0, 1.0
    members = sparse.csr_array(signs)
    rotated = roast(effects, members, draw_rotations(499, effects.df_residual + 1, rng))
    competitive = camera(effects, members)
    assert rotated["p"][0] == rotated["p"][1] == 1 / 500
    assert rotated["p"][2] > 0.05  # up and down cancel, and only the mixed statistic sees them
    assert rotated["p_mixed"][2] == 1 / 500
    assert np.all(competitive["t"][:2] > 3)
    assert np.all(competitive["p"][:2] < 0.01)
    assert competitive["p"][2] > 0.05


def test_turning_every_sign_turns_the_direction_and_nothing_else(rng):
    expression, module = _correlated(rng)
    effects = GeneEffects.of(expression, np.column_stack([np.ones(13), np.arange(13) < 6]).astype(float))
    signs = np.where(module == 0, 1.0, 0.0)[:, None]
    both = np.column_stack([signs, np.where(module == 1, 1.0, -signs[:, 0] * (module == 0))])
    drawn = draw_rotations(99, effects.df_residual + 1, rng)
    for table in (signs, both):
        one, other = (roast(effects, sparse.csr_array(side * table), drawn) for side in (1.0, -1.0))
        np.testing.assert_allclose(one["mean_z"], -other["mean_z"])
        np.testing.assert_allclose(one[["p", "p_mixed"]], other[["p", "p_mixed"]])
        one, other = (camera(effects, sparse.csr_array(side * table)) for side in (1.0, -1.0))
        np.testing.assert_allclose(one["t"], -other["t"])
        np.testing.assert_allclose(one["p"], other["p"])


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_constant_genes_and_extreme_scales_give_numbers(rng, scale):
    expression, module = _correlated(rng)
    expression = expression * scale
    expression[:, module == 3] = 5.0
    effects = GeneEffects.of(expression, np.column_stack([np.ones(13), np.arange(13) < 6]).astype(float))
    members = sparse.csr_array((module[:, None] == np.arange(6)).astype(float))
    rotated = roast(effects, members, draw_rotations(99, effects.df_residual + 1, rng))
    assert np.isfinite(rotated.to_numpy()).all()
    assert rotated["p"][3] == 1.0  # nothing differs in genes that never vary
    assert np.isfinite(camera(effects, members)["p"]).all()


def test_one_gene_all_genes_and_one_residual_degree(rng):
    expression, _ = _correlated(rng, n=3)
    effects = GeneEffects.of(expression, np.column_stack([np.ones(3), [1.0, 0.0, 0.0]]))
    members = sparse.csr_array(np.column_stack([np.arange(120) == 0, np.ones(120)]).astype(float))
    rotated = roast(effects, members, draw_rotations(199, effects.df_residual + 1, rng))
    assert ((rotated["p"] > 0) & (rotated["p"] <= 1)).all()
    competitive = camera(effects, members)
    assert 0 < competitive["p"][0] <= 1
    assert np.isnan(competitive["p"][1])
    assert np.isnan(competitive["correlation"][0])


def test_a_set_without_genes_is_refused(rng):
    expression, _ = _correlated(rng)
    effects = GeneEffects.of(expression, np.column_stack([np.ones(13), np.arange(13) < 6]).astype(float))
    for test in (lambda table: camera(effects, table), lambda table: roast(effects, table, np.eye(1, 12))):
        with pytest.raises(ContrastError, match="1 of the sets has no gene"):
            test(sparse.csr_array((120, 1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, d: (np.where(x == x[0, 0], np.nan, x), d), "missing or infinite"),
        (lambda x, d: (x, np.column_stack([d, d[:, 1]])), "full rank"),
        (lambda x, d: (x[:2], d[[0, -1]]), "nothing to estimate variance from"),
    ],
)
def test_what_cannot_be_fitted_is_refused(rng, change, message):
    expression, _ = _correlated(rng)
    design = np.column_stack([np.ones(13), np.arange(13) < 6]).astype(float)
    with pytest.raises(ContrastError, match=message):
        GeneEffects.of(*change(expression, design))


def test_z_has_the_tail_probability_of_t_and_is_finite_far_out():
    t = np.linspace(-8, 8, 41)
    for df in (1.0, 7.5, 300.0):
        np.testing.assert_allclose(stats.norm.cdf(z_of_t(t, df)), stats.t.cdf(t, df), rtol=1e-9)
    np.testing.assert_allclose(bailey_z(t, 7.5), z_of_t(t, 7.5), rtol=3e-3, atol=1e-12)
    far = z_of_t(np.array([-60.0, 60.0]), 1e5)
    assert far[0] == -far[1]
    assert 55 < far[1] < 60
    np.testing.assert_array_equal(z_of_t(t, np.inf), t)

import numpy as np
import pytest
from scipy.stats import kstest

from responder_ml.contrasts.group_fits import fit_designs, fit_groups
from responder_ml.contrasts.rotation import rotate_designs
from responder_ml.errors import ContrastError

CODES = np.repeat([0, 1, 2], [5, 3, 3])
BATCH = np.array([[0.0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1]]).T
WEIGHTS = np.array([0.0, -1.0, 1.0])


def _all_used(designs):
    return np.ones(designs.shape[:2], dtype=bool)


def _rotate(count, rng, exchange=((1, 2),)):
    return rotate_designs(CODES, 3, exchange, count=count, rng=rng, covariates=BATCH)


def test_first_design_is_the_observed_fit(rng):
    expression, designs = rng.normal(size=(11, 40)), _rotate(3, rng)
    t = fit_designs(expression, designs, 3, _all_used(designs)).t(WEIGHTS)[0]
    np.testing.assert_allclose(t, fit_groups(expression, CODES[None], 3, BATCH).t(WEIGHTS)[0], rtol=1e-9)


def test_equals_rotating_the_data(rng):
    """The designs stand for orthogonal maps of the data that keep the reduced model."""
    designs = _rotate(50, rng)
    gram = np.einsum("mnp,mnq->mpq", designs, designs)
    np.testing.assert_allclose(gram, np.broadcast_to(gram[0], gram.shape), atol=1e-10)
    reduced = np.column_stack([CODES == 0, CODES > 0, BATCH]).astype(float)
    # Columns in the reduced model's span stay: the control group, and susceptible plus treated.
    np.testing.assert_allclose(designs[:, :, 0], np.broadcast_to(designs[0, :, 0], (51, 11)), atol=1e-10)
    together = designs[:, :, 1] + designs[:, :, 2]
    np.testing.assert_allclose(together, np.broadcast_to(reduced[:, 1], (51, 11)), atol=1e-10)


def test_real_stress_stays_and_the_drug_difference_goes(rng):
    expression = rng.normal(0, 0.1, size=(11, 200))
    expression[CODES > 0] += 2.0
    expression[CODES == 2] += 4.0
    designs = rotate_designs(CODES, 3, [[1, 2]], count=200, rng=rng)
    fits = fit_designs(expression, designs, 3, _all_used(designs))
    merged = (fits.effect(np.array([-2.0, 1.0, 1.0])) / 2)[1:]
    assert merged.mean() == pytest.approx(4.0, abs=0.3)
    assert abs(fits.effect(WEIGHTS)[1:].mean()) < 0.5
    assert fits.effect(WEIGHTS)[0].mean() == pytest.approx(4.0, abs=0.1)


def test_p_is_uniform_without_effect_though_batch_is_large(rng):
    """One gene's t: the rank of the observed among rotated ones is uniform if the null is right."""
    ranks = []
    for _ in range(300):
        expression = rng.normal(size=(11, 30)) + 3 * BATCH
        designs = _rotate(60, rng)
        t = fit_designs(expression, designs, 3, _all_used(designs)).t(WEIGHTS)[:, 0]
        ranks.append((t[1:] < t[0]).mean())
    assert kstest(ranks, "uniform").pvalue > 0.01


def test_two_residual_directions_are_enough(rng):
    # Two of eleven directions are left beside two means and seven covariates.
    designs = rotate_designs(CODES, 3, [[1, 2]], count=5, rng=rng, covariates=rng.normal(size=(11, 7)))
    assert designs.shape == (6, 11, 10)
    assert not np.allclose(designs[1], designs[2])


def test_too_many_covariates_are_refused(rng):
    with pytest.raises(ContrastError, match="1 residual direction"):
        rotate_designs(CODES, 3, [[1, 2]], count=5, rng=rng, covariates=rng.normal(size=(11, 8)))
    with pytest.raises(ContrastError, match="residual direction"):
        rotate_designs(CODES, 3, [[1, 2]], count=5, rng=rng, covariates=np.eye(11)[:, 1:10])

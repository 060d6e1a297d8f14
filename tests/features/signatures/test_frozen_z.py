import numpy as np

from responder_ml.features.signatures.frozen_z import frozen_z, gene_scale


def test_scale_is_the_sample_standard_deviation():
    mean, scale = gene_scale(np.array([[1.0, 5.0], [3.0, 5.0]]))
    np.testing.assert_array_equal(mean, [2.0, 5.0])
    np.testing.assert_allclose(scale, [np.sqrt(2.0), 0.0])


def test_a_gene_constant_up_to_rounding_has_no_scale():
    # The mean of ten times 0.1 is not 0.1, so a plain variance is not zero.
    values = np.full((10, 1), 0.1)
    values[3:] = 0.1 + 1e-17
    _, scale = gene_scale(values)
    assert scale[0] == 0.0


def test_a_gene_of_small_but_real_variance_keeps_it():
    values = 20.0 + 1e-9 * np.arange(10.0)[:, None]
    _, scale = gene_scale(values)
    np.testing.assert_allclose(scale, values.std(ddof=1), rtol=1e-4)


def test_genes_without_scale_contribute_zero_even_far_away():
    z = frozen_z(np.array([[1e6, 3.0]]), np.array([5.0, 1.0]), np.array([0.0, 4.0]))
    np.testing.assert_array_equal(z, [[0.0, 0.5]])

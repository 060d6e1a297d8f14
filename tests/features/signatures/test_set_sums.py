import numpy as np
from scipy import sparse

from responder_ml.features.signatures.set_sums import set_sums, side_totals


def test_sums_equal_the_dense_product(expression, signed, members):
    np.testing.assert_allclose(set_sums(expression, members), expression @ signed, rtol=0, atol=1e-12)


def test_a_sample_has_the_same_sums_alone(expression, members):
    together = set_sums(expression, members)
    alone = np.vstack([set_sums(row[None], members) for row in expression])
    np.testing.assert_array_equal(together, alone)


def test_side_totals_add_up_each_side_of_each_set():
    members = sparse.csr_array(np.array([[1.0, 2.0], [3.0, 0.0], [-4.0, 5.0]]))
    totals = side_totals(members, np.abs(members.data))
    # Row by row: gene 0 in both sets, gene 1 in the first, gene 2 down in the first and up in the second.
    np.testing.assert_array_equal(totals, [4.0, 7.0, 4.0, 4.0, 7.0])

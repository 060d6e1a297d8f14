"""Agreement of changes with signatures: each number by its definition."""

import numpy as np
from scipy import sparse
from scipy.stats import spearmanr

from responder_ml.contrasts.reversal import reversal_share
from responder_ml.contrasts.signature_agreement import SignatureWeights


def test_every_number_is_its_definition(rng):
    weights = rng.normal(size=(30, 3)) * (rng.random((30, 3)) < 0.5)
    weights[:, 2] = np.sign(weights[:, 2])
    t = rng.normal(size=(7, 30))
    t[:, :3] = 0.0
    agreement = SignatureWeights(sparse.csr_array(weights), np.array([True, True, False])).agreement(t)
    for column in range(3):
        members = weights[:, column] != 0
        s, changes = weights[members, column], t[:, members]
        cosine = changes @ s / np.linalg.norm(s) / np.linalg.norm(changes, axis=1)
        np.testing.assert_allclose(agreement.cosine[:, column], cosine)
        share = reversal_share(np.tile(np.sign(weights[:, column]).astype(np.int8), (7, 1)), t)
        np.testing.assert_allclose(agreement.reversed[:, column], share)
        if column < 2:
            expected = [spearmanr(s, row).statistic for row in changes]
            np.testing.assert_allclose(agreement.spearman[:, column], expected)
    assert np.isnan(agreement.spearman[:, 2]).all()


def test_genes_that_never_change_agree_with_nothing():
    weights = SignatureWeights(sparse.csr_array(np.array([[1.0], [-0.5], [0.2]])), np.array([True]))
    agreement = weights.agreement(np.zeros((2, 3)))
    assert not agreement.cosine.any()
    assert not agreement.spearman.any()
    assert not agreement.reversed.any()

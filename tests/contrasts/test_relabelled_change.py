"""Moderated t under every labelling is that of a linear model fitted to it alone."""

import numpy as np

from responder_ml.contrasts.gene_effects import GeneEffects
from responder_ml.contrasts.relabelled_change import RelabelledChange


def test_every_labelling_is_fitted_as_if_it_were_the_only_one(rng):
    log2 = rng.normal(8.0, np.exp(rng.normal(0, 0.5, 300)), (10, 300))
    others = np.column_stack([np.repeat([1.0, 0.0], 5), np.repeat([0.0, 1.0], 5), np.ones(10), rng.normal(size=10)])
    labellings = np.array([rng.permutation(np.repeat([1, 0], 5)) for _ in range(7)], dtype=np.int8)
    blocks = np.concatenate(list(RelabelledChange(log2, others).t(labellings)))
    for t, labels in zip(blocks, labellings, strict=True):
        alone = GeneEffects.of(log2, np.column_stack([others[:, [0, 1, 3]], labels])).t
        np.testing.assert_allclose(t, alone - alone.mean(), rtol=1e-8, atol=1e-10)


def test_a_labelling_that_strata_explain_has_no_t(rng):
    strata = np.repeat([1.0, 0.0], 5)
    change = RelabelledChange(rng.normal(size=(10, 60)), np.column_stack([strata, 1 - strata]))
    lost, told = np.concatenate(list(change.t(np.array([strata, np.tile([1, 0], 5)], dtype=np.int8))))
    assert np.isnan(lost).all()
    assert np.isfinite(told).all()

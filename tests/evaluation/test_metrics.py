import numpy as np
import pytest

from responder_ml.evaluation.metrics import OutOfFold, auroc, concordance


@pytest.mark.parametrize("folds", [2, 7, 150])
@pytest.mark.parametrize("positives", [3, 75, 150])
def test_auroc_of_many_subjects_is_the_share_of_pairs_within_folds(rng, folds, positives):
    labels = rng.permutation(np.arange(150) < positives).astype(np.int8)
    decisions = np.round(rng.normal(size=(3, 150)), 1)
    found = OutOfFold(labels, decisions, rng.integers(0, folds, size=(3, 150)), np.zeros((3, 150)))
    np.testing.assert_equal(auroc(found), float(concordance(found).auroc()))

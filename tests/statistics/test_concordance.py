import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from responder_ml.statistics.concordance import auroc, pair_table


def test_pairs_by_hand():
    labels, scores = np.array([1, 0, 1, 0, 0]), np.array([0.4, 0.4, 0.9, 0.1, 0.7])
    np.testing.assert_array_equal(pair_table(labels, scores), [[0.5, 1.0, 0.0], [1.0, 1.0, 1.0]])
    assert auroc(labels, scores) == pytest.approx(4.5 / 6)


# 64 x 64 pairs are compared one by one, 65 x 64 by ranks.
@pytest.mark.parametrize("n_positive", [3, 64, 65, 200])
@pytest.mark.parametrize("decimals", [1, 12])
def test_few_and_many_pairs_equal_scikit_learn(rng, n_positive, decimals):
    labels = rng.permutation(np.arange(n_positive + 64) < n_positive).astype(int)
    scores = (rng.normal(size=labels.size) + labels).round(decimals)
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), rel=1e-12)


@pytest.mark.parametrize("label", [0, 1])
def test_one_subject_is_enough_for_a_class(label):
    labels, scores = np.where(np.arange(4) == 2, label, 1 - label), np.array([0.1, 0.5, 0.4, 0.2])
    assert auroc(labels, scores) == pytest.approx(2 / 3 if label else 1 / 3)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_has_no_area(label):
    assert np.isnan(auroc(np.full(4, label), np.arange(4.0)))

"""Only our own classes and plain data go into a model file; what a forged file may not do is in `test_bundle.py`."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from responder_ml.bundles.model_file import allowed_classes, pack_models, unpack_models
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.errors import BundleError
from responder_ml.features.builders.genes import Genes
from responder_ml.search.prefix_model import PrefixModel


@pytest.fixture
def data(rng):
    labels = np.arange(16) % 2
    return rng.normal(size=(16, 30)) + labels[:, None], labels, np.array([f"g{index}" for index in range(30)])


def test_only_our_own_classes_are_allowed():
    assert all(name.startswith("responder_ml.") for name in allowed_classes())
    assert "responder_ml.search.prefix_model.PrefixModel" in allowed_classes()


def test_models_come_back_in_order_with_their_numbers(data):
    X, y, genes = data
    models = [PrefixModel(Genes(units="log2"), ElasticNet(), length).fit(X, y, genes=genes) for length in (3, 9)]
    for before, after in zip(models, unpack_models(pack_models(models)), strict=True):
        np.testing.assert_array_equal(after.features_, before.features_)
        np.testing.assert_array_equal(after.decision_function(X), before.decision_function(X))


def test_a_model_of_another_class_is_not_even_written(data):
    X, y, genes = data
    model = PrefixModel(Genes(units="log2"), LogisticRegression(), 3).fit(X, y, genes=genes)
    with pytest.raises(BundleError, match=r"LogisticRegression, which no bundle may contain"):
        pack_models([model])

"""Only our own classes and plain data go into a model file; what a forged file may not do is in `test_bundle.py`."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from responder_ml.bundles.model_file import allowed_classes, pack_models, unpack_models
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.errors import BundleError
from responder_ml.features.builders.genes import Genes
from responder_ml.search.mean_model import MeanClassifier
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
    read, classifiers = unpack_models(pack_models(models))
    assert classifiers == ()
    for before, after in zip(models, read, strict=True):
        np.testing.assert_array_equal(after.features_, before.features_)
        np.testing.assert_array_equal(after.decision_function(X), before.decision_function(X))


def test_classifiers_of_outer_models_come_after_the_models_and_never_before(data):
    X, y, genes = data
    model = PrefixModel(Genes(units="log2"), ElasticNet(), 3).fit(X, y, genes=genes)
    columns = np.arange(2)
    mean = MeanClassifier([ElasticNet().fit(X[:, columns], y)], [columns], np.ones(1), 2)
    models, (read,) = unpack_models(pack_models([model], [mean]))
    assert len(models) == 1
    np.testing.assert_array_equal(read.decision_function(X[:, columns]), mean.decision_function(X[:, columns]))
    for wrong in ([mean, model], [mean], []):
        with pytest.raises(BundleError, match="list of models"):
            unpack_models(pack_models(wrong))


def test_a_model_of_another_class_is_not_even_written(data):
    X, y, genes = data
    model = PrefixModel(Genes(units="log2"), LogisticRegression(), 3).fit(X, y, genes=genes)
    with pytest.raises(BundleError, match=r"LogisticRegression, which no bundle may contain"):
        pack_models([model])

"""The adapter to GeneICL, with a stand-in for the package where it is not installed and with the package where it is."""

import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import softmax

from responder_ml.bundles import model_file
from responder_ml.bundles.model_file import pack_models, unpack_models
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.in_context import InContext, _model
from responder_ml.errors import BundleError, UnknownNameError
from responder_ml.explanation.attribution import shap_values
from responder_ml.features.builders.genes import Genes
from responder_ml.search.prefix_model import PrefixModel

installed = find_spec("geneicl") is not None


class Centroids:
    """In place of geneicl's model: nearer to which class mean, as its interface has it."""

    def __init__(self, device):
        assert device == "cpu"

    def predict_proba_fold(self, support, labels, rows):
        classes = sorted(set(map(str, labels)))
        codes = np.array([classes.index(str(label)) for label in labels])
        means = np.stack([support[codes == code].mean(axis=0) for code in range(len(classes))])
        distances = np.square(rows[:, None] - means).mean(axis=2)
        return softmax(-distances - 0.1 * np.tanh(rows.sum(axis=1))[:, None] * [0, 1], axis=1), classes


@pytest.fixture(
    params=["stand-in", pytest.param("package", marks=pytest.mark.skipif(not installed, reason="an extra"))]
)
def in_context(request, monkeypatch):
    """Return a classifier, whichever package answers."""
    if request.param == "stand-in":
        monkeypatch.setitem(sys.modules, "geneicl", SimpleNamespace(Runner=Centroids))
    _model.cache_clear()
    yield InContext()
    _model.cache_clear()


@pytest.fixture
def data(rng):
    labels = np.arange(24) % 2
    return rng.normal(size=(24, 12)) + 1.5 * labels[:, None], labels


def test_new_rows_are_told_apart_and_the_second_class_is_positive(in_context, data):
    X, labels = data
    decisions = in_context.fit(X[:16], labels[:16]).decision_function(X[16:])
    assert decisions[labels[16:] == 1].min() > decisions[labels[16:] == 0].max()
    turned = InContext().fit(X[:16], 1 - labels[:16]).decision_function(X[16:])
    assert np.sign(turned).tolist() == (-np.sign(decisions)).tolist()


def test_contributions_add_up_to_the_decision(in_context, data):
    X, labels = data
    in_context.fit(X[:16], labels[:16])
    explained = shap_values(in_context, X[16:])
    assert explained.values.shape == (8, 12)
    np.testing.assert_allclose(
        explained.base + explained.values.sum(axis=1), in_context.decision_function(X[16:]), atol=1e-9
    )
    assert explained.base == in_context.decision_function(np.zeros((1, 12)))[0]


def test_a_bundle_holds_rows_and_no_code(in_context, data, monkeypatch):
    X, labels = data
    genes = np.array([f"g{index}" for index in range(12)])
    name = f"{InContext.__module__}.{InContext.__qualname__}"
    without = model_file.allowed_classes() - {name}
    monkeypatch.setattr(model_file, "allowed_classes", lambda: without | {name})
    model = PrefixModel(Genes(units="log2"), in_context, 9).fit(X, labels, genes=genes)
    content = pack_models([model])
    (read,), _ = unpack_models(content)
    np.testing.assert_array_equal(read.decision_function(X), model.decision_function(X))
    assert vars(read.classifier_).keys() == {"classes_", "n_features_in_", "support_", "support_labels_"}
    monkeypatch.setattr(model_file, "allowed_classes", lambda: without)
    with pytest.raises(BundleError, match=r"responder-ml\[geneicl\]"):
        unpack_models(content)


@pytest.mark.skipif(installed, reason="the extra is installed")
def test_without_the_extra_it_is_no_classifier_and_the_message_says_how_to_get_it():
    assert "in_context" not in CLASSIFIERS.names()
    with pytest.raises(UnknownNameError, match=r"pip install 'responder-ml\[geneicl\]'"):
        CLASSIFIERS["in_context"]

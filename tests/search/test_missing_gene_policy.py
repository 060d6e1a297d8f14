import numpy as np
import pytest

from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.errors import CoverageError
from responder_ml.features.builders.genes import Genes
from responder_ml.features.missing_genes import typical_sample
from responder_ml.search.missing_gene_policy import decide
from responder_ml.search.prefix_model import PrefixModel


@pytest.fixture(params=["counts", "log2", "tpm"])
def trained(request, rng):
    labels = np.arange(20) % 2
    mean = np.exp(rng.normal(size=150) + 5)
    effect = np.where(np.arange(150) < 20, 0.6, 0.0) * labels[:, None]
    counts = rng.poisson(mean * np.exp(rng.normal(size=(20, 150)) * 0.3 + effect)).astype(float)
    values = np.log2(counts + 1) if request.param == "log2" else counts
    genes = np.array([f"g{index}" for index in range(150)])
    model = PrefixModel(Genes(units=request.param), ElasticNet(), 12).fit(values, labels, genes=genes)
    return model, values, request.param


def test_complete_samples_are_decided_by_the_model_itself(trained):
    model, values, units = trained
    found = decide(model, values, np.ones(150, dtype=bool), typical_sample(values, units), units, "refuse")
    np.testing.assert_array_equal(found.log_odds, model.decision_function(values))
    np.testing.assert_array_equal(found.features, model.features(values))
    np.testing.assert_array_equal(found.standardised, model.standardised(values))


@pytest.mark.parametrize("missing", ["impute", "skip"])
def test_a_lost_feature_is_at_its_training_mean(missing, trained):
    model, values, units = trained
    found = model.genes_ != model.features_[4]
    decision = decide(model, np.where(found, values, np.nan), found, typical_sample(values, units), units, missing)
    np.testing.assert_array_equal(decision.standardised[:, 4], 0.0)
    assert np.isnan(decision.features[:, 4]).all()
    kept = np.arange(12) != 4
    np.testing.assert_allclose(decision.standardised[:, kept], model.standardised(values)[:, kept], atol=0.1)
    np.testing.assert_allclose(decision.log_odds, model.classifier_.decision_function(decision.standardised))


def test_refusing_names_the_gene_and_minds_only_genes_of_features(trained):
    model, values, units = trained
    typical = typical_sample(values, units)
    found = model.genes_ != model.features_[0]
    with pytest.raises(CoverageError, match=str(model.features_[0])):
        decide(model, values, found, typical, units, "refuse")
    found = model.genes_ != next(gene for gene in model.genes_ if gene not in model.features_)
    assert np.isfinite(decide(model, values, found, typical, units, "refuse").log_odds).all()


def test_an_unknown_policy_is_refused(trained):
    model, values, units = trained
    with pytest.raises(CoverageError, match="impute, skip, refuse"):
        decide(model, values, np.ones(150, dtype=bool), typical_sample(values, units), units, "drop")

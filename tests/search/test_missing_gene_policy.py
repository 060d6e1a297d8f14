import numpy as np
import pytest

from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.errors import CoverageError
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.features.missing_genes import fill_missing, typical_sample
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


def _decide_without(trained, present, policy):
    model, values, units = trained
    filled = fill_missing(np.where(present, values, np.nan), present, typical_sample(values, units), units)
    return decide(model, filled, present, policy)


def test_complete_samples_are_decided_by_the_model_itself(trained):
    model, values, _ = trained
    decision = _decide_without(trained, np.ones(150, dtype=bool), "refuse")
    np.testing.assert_array_equal(decision.log_odds, model.decision_function(values))
    np.testing.assert_array_equal(decision.features, model.features(values))
    np.testing.assert_array_equal(decision.standardised, model.standardised(values))


@pytest.mark.parametrize("policy", ["impute", "skip"])
def test_a_lost_feature_is_at_its_training_mean(policy, trained):
    model, values, _ = trained
    decision = _decide_without(trained, model.genes_ != model.features_[4], policy)
    np.testing.assert_array_equal(decision.standardised[:, 4], 0.0)
    assert np.isnan(decision.features[:, 4]).all()
    others = np.arange(12) != 4
    np.testing.assert_allclose(decision.standardised[:, others], model.standardised(values)[:, others], atol=0.1)
    np.testing.assert_allclose(decision.log_odds, model.classifier_.decision_function(decision.standardised))


def test_refusing_names_the_gene_and_minds_only_genes_of_features(trained):
    model, *_ = trained
    with pytest.raises(CoverageError, match=rf"^1 gene\(s\).*: {model.features_[0]}\."):
        _decide_without(trained, model.genes_ != model.features_[0], "refuse")
    unused = next(gene for gene in model.genes_ if gene not in model.features_)
    assert np.isfinite(_decide_without(trained, model.genes_ != unused, "refuse").log_odds).all()


def test_a_feature_that_lacks_one_of_its_genes_is_left_out_under_skip_only(rng):
    labels, values = np.arange(20) % 2, rng.normal(size=(20, 30))
    genes = np.array([f"g{index}" for index in range(30)])
    model = PrefixModel(Pairs(), ElasticNet(), 3).fit(values, labels, genes=genes)
    lost = model.builder_.genes_of(int(model.columns_[0]))[0][0]
    trained = model, values, "log2"
    skipped, imputed = (_decide_without(trained, genes != lost, policy) for policy in ("skip", "impute"))
    assert np.isnan(skipped.features[:, 0]).all()
    np.testing.assert_array_equal(skipped.standardised[:, 0], 0.0)
    assert np.isfinite(imputed.features).all()
    np.testing.assert_allclose(skipped.log_odds, model.classifier_.decision_function(skipped.standardised))


def test_an_unknown_policy_is_refused(trained):
    with pytest.raises(CoverageError, match="impute, skip, refuse"):
        _decide_without(trained, np.ones(150, dtype=bool), "drop")

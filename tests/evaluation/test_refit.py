import numpy as np

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.evaluation.refit import fit_members
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.mean_model import MeanModel, Member
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData

LABELS = np.array([0, 1] * 5, dtype=np.int8)


def _members(weights):
    return [
        Member(Candidate("genes", Genes(units="log2"), CLASSIFIERS[kind]), {"n_features": 3}, 3, weight)
        for kind, weight in weights.items()
    ]


def _fitted(rng, weights):
    search_data = SearchData(rng.normal(size=(20, 12)), np.arange(12).astype(str), np.arange(20) // 2, np.zeros(10))
    return search_data, fit_members(_members(weights), search_data, LABELS)


def test_a_refit_is_described_by_its_members_in_the_order_of_their_names(rng):
    _, refit = _fitted(rng, {"nearest_centroid": 0.25, "linear_svm": 0.5, "elastic_net": 0.25, "majority": 0.0})
    assert isinstance(refit.model, MeanModel)
    names = ["genes+elastic_net", "genes+linear_svm", "genes+nearest_centroid"]
    assert [(member.name, member.weight) for member in refit.members] == list(
        zip(names, [0.25, 0.5, 0.25], strict=True)
    )
    assert (refit.name, refit.params) == ("auto", {})
    assert refit.description == "the mean of genes+elastic_net, genes+linear_svm and genes+nearest_centroid"


def test_where_one_candidate_has_all_the_weight_its_own_model_is_fitted_to_the_samples_of_every_subject(rng):
    search_data, refit = _fitted(rng, {"nearest_centroid": 1.0, "majority": 0.0})
    assert (refit.name, refit.params) == ("genes+nearest_centroid", {"n_features": 3})
    plain = PrefixModel(Genes(units="log2"), CLASSIFIERS["nearest_centroid"](), 3)
    plain.fit(search_data.expression, np.repeat(LABELS, 2), genes=search_data.genes)
    np.testing.assert_array_equal(
        refit.model.decision_function(search_data.expression), plain.decision_function(search_data.expression)
    )

from optuna.distributions import IntDistribution

from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate, classifier_notes

BUILDER = Genes(units="log2")


def test_the_prefix_length_is_searched_first_and_in_its_logarithm():
    space = Candidate("genes", BUILDER, ElasticNet).space(80)
    assert next(iter(space)) == "n_features"
    assert space["n_features"] == IntDistribution(BUILDER.shortest, 80, log=True)
    assert {key: space[key] for key in space if key != "n_features"} == ElasticNet.search_space()


def test_one_possible_length_is_not_searched():
    for available in (BUILDER.shortest, BUILDER.shortest - 1, 1):
        candidate = Candidate("genes", BUILDER, ElasticNet)
        assert "n_features" not in candidate.space(available)
        assert candidate.length({"C": 0.1}, available) == available


def test_what_the_user_fixed_is_not_searched_and_overrides_what_was_searched():
    candidate = Candidate("genes", BUILDER, ElasticNet, {"l1_ratio": 0.0})
    assert "l1_ratio" not in candidate.space(80)
    made = candidate.make({"n_features": 7, "C": 0.25, "l1_ratio": 0.5})
    assert (made.C, made.l1_ratio) == (0.25, 0.0)
    assert candidate.length({"n_features": 7}, 80) == 7


def test_a_fixed_form_is_no_longer_than_what_there_is():
    candidate = Candidate("genes", BUILDER, ElasticNet)
    assert candidate.fixed_form_params(10_000) == {"n_features": BUILDER.fixed_length}
    assert candidate.fixed_form_params(3) == {"n_features": 3}


def test_a_candidate_is_named_after_its_parts_within_the_job():
    assert Candidate("my_genes", BUILDER, ElasticNet).name == "my_genes+elastic_net"
    assert Candidate("my_genes", BUILDER, ElasticNet, {}, "ridge").name == "my_genes+ridge"


def test_notes_of_a_classifier_shared_by_two_builders_are_given_once(monkeypatch):
    monkeypatch.setattr(ElasticNet, "notes", lambda self: [f"C is {self.C}"])
    candidates = [Candidate(name, BUILDER, ElasticNet, {"C": 0.5}, "ridge") for name in ("a", "b")]
    assert classifier_notes(candidates) == ["ridge: C is 0.5"]

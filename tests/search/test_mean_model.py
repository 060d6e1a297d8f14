"""The mean of candidates as one model: the same numbers as its members one by one."""

import numpy as np
import pytest

from responder_ml.bundles.manifest import describe_features
from responder_ml.bundles.model_file import pack_models, unpack_models
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.evaluation.applicability import left_out_distances
from responder_ml.features.builders.derived import Derived
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.mean_model import MeanModel, Member, unfitted_model
from responder_ml.search.missing_gene_policy import decide
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData

N, GENES = 24, 90
NAMES = np.array([f"g{index}" for index in range(GENES)])
LABELS = np.array([0, 1] * (N // 2), dtype=np.int8)
LINEAR = (("elastic_net", 12), ("nearest_centroid", 5))


@pytest.fixture
def expression(rng):
    values = rng.normal(8, 1, size=(N, GENES))
    values[:, :6] += 1.5 * LABELS[:, None]
    return values


@pytest.fixture
def builders(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text("\n".join("\t".join(line) for line in (["S", "", *NAMES[:8]], ["T", "", *NAMES[30:40]])) + "\n")
    sets = {"min_genes": 2, "units": "log2"}
    return {
        "genes": Genes(units="log2"),
        "again": Genes(units="log2", max_genes=40),
        "sets": GeneSets(path=str(path), scorer="mean_z", **sets),
        "derived": Derived(units="log2", max_genes=30),
    }


def _members(builders, names, kinds=LINEAR):
    """Return a member for every builder and classifier; weights grow and add up to one."""
    pairs = [(name, kind, length) for name in names for kind, length in kinds]
    weights = np.arange(1, len(pairs) + 1) / sum(range(1, len(pairs) + 1))
    fixed = {"xgboost": {"rounds": 5}}
    return [
        Member(Candidate(name, builders[name], CLASSIFIERS[kind], fixed.get(kind, {})), {}, length, float(weight))
        for (name, kind, length), weight in zip(pairs, weights, strict=True)
    ]


def _alone(member, values, labels=LABELS):
    model = PrefixModel(member.candidate.builder, member.candidate.make(member.params), member.length)
    return model.fit(values, labels, genes=NAMES)


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (("genes",), LINEAR),
        (("genes", "again", "sets", "derived"), LINEAR),
        (("genes", "sets"), (("elastic_net", 12), ("xgboost", 7), ("majority", 3))),
    ],
)
def test_its_log_odds_are_the_weighted_mean_of_its_members(expression, builders, names, kinds):
    members = _members(builders, names, kinds)
    mean = unfitted_model(members).fit(expression[:18], LABELS[:18], genes=NAMES)
    assert isinstance(mean, MeanModel)
    alone = [_alone(member, expression[:18], LABELS[:18]) for member in members]
    held_out = expression[18:]
    expected = sum(
        member.weight * model.decision_function(held_out) for member, model in zip(members, alone, strict=True)
    )
    np.testing.assert_allclose(mean.decision_function(held_out), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(mean.predict_proba(held_out)[:, 1], 1 / (1 + np.exp(-expected)), atol=1e-9)
    assert (mean.predict(held_out) == (expected > 0)).all()
    # A builder and a column that members share are there once.
    assert len(mean.builders_) == len(names)
    assert len(set(mean.features_.tolist())) == len(mean.features_) == mean.standardised(held_out).shape[1]
    assert list(mean.genes_of_features()) == mean.features_.tolist()


def test_coefficients_of_a_linear_mean_give_its_decision(expression, builders):
    mean = unfitted_model(_members(builders, ("genes", "sets"))).fit(expression, LABELS, genes=NAMES)
    assert mean.classifier_.linear
    decided = mean.standardised(expression) @ mean.classifier_.coef_ + mean.classifier_.intercept_
    np.testing.assert_allclose(decided, mean.decision_function(expression), atol=1e-9)
    weights = {feature.name: feature.weight for feature in describe_features(mean)}
    size = np.abs(mean.classifier_.coef_)
    np.testing.assert_allclose(list(weights.values()), size / size.sum())


def test_with_trees_the_importance_is_the_mean_of_shares(expression, builders):
    kinds = (("elastic_net", 12), ("xgboost", 7), ("majority", 3))
    mean = unfitted_model(_members(builders, ("genes",), kinds)).fit(expression, LABELS, genes=NAMES)
    assert not mean.classifier_.linear
    assert not hasattr(mean.classifier_, "coef_")
    assert not hasattr(mean.classifier_, "intercept_")
    expected = np.zeros(len(mean.features_))
    for index, classifier in enumerate(mean.classifier_.classifiers):
        columns, weight = mean.classifier_.columns[index], mean.classifier_.weights[index]
        if type(classifier).name == "elastic_net":
            expected[columns] += weight * np.abs(classifier.coef_) / np.abs(classifier.coef_).sum()
        elif type(classifier).name == "xgboost":
            expected[columns] += weight / len(columns)
    np.testing.assert_allclose(mean.classifier_.importance(), expected)
    np.testing.assert_allclose([feature.weight for feature in describe_features(mean)], expected / expected.sum())


def test_features_of_one_name_from_two_builders_are_told_apart(expression, builders):
    mean = unfitted_model(_members(builders, ("genes", "again"))).fit(expression, LABELS, genes=NAMES)
    assert all(name.partition(":")[0] in {"genes", "again"} for name in mean.features_ if ":" in name)
    gene = next(name.partition(":")[2] for name in mean.features_ if name.startswith("again:"))
    parts = mean.genes_of_features()
    assert parts[f"again:{gene}"][0].tolist() == parts[f"genes:{gene}"][0].tolist() == [gene]


def test_the_order_of_members_changes_nothing_to_the_last_bit(expression, builders, rng):
    members = _members(builders, ("genes", "sets", "derived"))
    one = unfitted_model(members).fit(expression, LABELS, genes=NAMES)
    shuffled = [members[index] for index in rng.permutation(len(members))]
    other = unfitted_model(shuffled).fit(expression, LABELS, genes=NAMES)
    np.testing.assert_array_equal(one.features_, other.features_)
    np.testing.assert_array_equal(one.decision_function(expression), other.decision_function(expression))


def test_members_without_weight_are_left_out_and_a_single_one_is_its_own_model(expression, builders):
    one, other = _members(builders, ("genes",))
    model = unfitted_model([one, Member(other.candidate, other.params, other.length, 0.0)])
    assert isinstance(model, PrefixModel)
    np.testing.assert_array_equal(
        model.fit(expression, LABELS, genes=NAMES).decision_function(expression),
        _alone(one, expression).decision_function(expression),
    )


def test_nothing_is_learnt_from_rows_it_was_not_fitted_to(expression, builders):
    members = _members(builders, ("genes", "sets"))
    before = unfitted_model(members).fit(expression[:18], LABELS[:18], genes=NAMES)
    kept = before.decision_function(expression[:18])
    expression[18:] = 1e3
    after = unfitted_model(members).fit(expression[:18], LABELS[:18], genes=NAMES)
    np.testing.assert_array_equal(after.decision_function(expression[:18]), kept)


@pytest.mark.parametrize("kinds", [LINEAR, (("elastic_net", 12), ("xgboost", 7))])
def test_a_file_gives_it_back(expression, builders, kinds):
    mean = unfitted_model(_members(builders, ("genes", "sets"), kinds)).fit(expression, LABELS, genes=NAMES)
    plain = _alone(_members(builders, ("genes",))[0], expression)
    (read, other), _ = unpack_models(pack_models([mean, plain]))
    np.testing.assert_array_equal(read.decision_function(expression), mean.decision_function(expression))
    np.testing.assert_array_equal(other.decision_function(expression), plain.decision_function(expression))
    assert read.features_.tolist() == mean.features_.tolist()


def test_a_mean_of_eight_is_hardly_larger_in_a_file_than_its_builder(rng):
    values, names = rng.normal(8, 1, size=(N, 3000)), np.array([f"Gene{index}" for index in range(3000)])
    builder = Genes(units="log2", max_genes=2000)
    candidates = [Candidate("genes", builder, CLASSIFIERS["elastic_net"], {}, f"c{index}") for index in range(8)]
    members = [Member(candidate, {"C": 0.01 * (1 + i)}, 20, 0.125) for i, candidate in enumerate(candidates)]
    mean, one = unfitted_model(members), unfitted_model(members[:1])
    sizes = [len(pack_models([model.fit(values, LABELS, genes=names)])) for model in (mean, one)]
    assert sizes[0] < 1.5 * sizes[1]


@pytest.mark.parametrize("policy", ["impute", "skip"])
def test_missing_genes_leave_out_the_features_they_make(expression, builders, policy):
    members = _members(builders, ("genes", "sets"))
    mean = unfitted_model(members).fit(expression, LABELS, genes=NAMES)
    present = np.ones(GENES, dtype=bool)
    present[:3] = False
    filled = np.where(present, expression, expression.mean(axis=0))
    expected = 0.0
    for member in members:
        expected += member.weight * decide(_alone(member, expression), filled, present, policy).log_odds
    np.testing.assert_allclose(decide(mean, filled, present, policy).log_odds, expected, atol=1e-9)


def test_distances_are_those_of_all_its_features_together(expression, builders):
    search_data = SearchData(expression, NAMES, np.arange(N), np.zeros(N, dtype=int))
    members = _members(builders, ("genes",))
    mean = unfitted_model(members)
    # The shorter prefix of one builder lies within the longer one, so the mean has the features of the longer.
    longest = PrefixModel(builders["genes"], CLASSIFIERS["elastic_net"](), 12)
    np.testing.assert_allclose(
        left_out_distances(mean, search_data, LABELS), left_out_distances(longest, search_data, LABELS), rtol=1e-9
    )
    both = left_out_distances(unfitted_model(_members(builders, ("genes", "sets"))), search_data, LABELS)
    assert np.isfinite(both).all()
    assert not np.allclose(both, left_out_distances(longest, search_data, LABELS))

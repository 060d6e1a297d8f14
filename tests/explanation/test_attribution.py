from dataclasses import replace

import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.evaluation.procedure import Procedure
from responder_ml.explanation.attribution import (
    Contributions,
    FoldExplanation,
    explain_auto,
    explain_models,
    gather_contributions,
    mean_explanation,
    shap_values,
)
from responder_ml.features.builders.derived import Derived
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.features.signatures import SCORERS
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

N, GENES = 24, 90
NAMES = np.array([f"g{index}" for index in range(GENES)])
LABELS = np.array([0, 1] * (N // 2), dtype=np.int8)
PLAN = SearchPlan(folds=3, inner_folds=2, trials=3, seed=2)
ADDITIVE = [name for name in SCORERS.names() if SCORERS[name].additive]


@pytest.fixture
def expression(rng):
    values = rng.normal(size=(N, GENES))
    values[:, :6] += 1.5 * LABELS[:, None]
    return values


def _procedure(expression, builder, kinds, plan=PLAN):
    search_data = SearchData(expression, NAMES, np.arange(N), np.zeros(N, dtype=int))
    candidates = [Candidate(builder.name, builder, CLASSIFIERS[kind]) for kind in kinds]
    return Procedure(search_data, candidates, plan, Workers(1))


def _gathered(models):
    return gather_contributions(explain_models(models), NAMES, LABELS)


@pytest.fixture
def sets(tmp_path):
    path = tmp_path / "sets.gmt"
    lines = [["A_UP", "", *NAMES[:8]], ["A_DN", "", *NAMES[20:28]], ["B", "", *NAMES[40:60]], ["C", "", *NAMES[5:15]]]
    path.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    return str(path)


@pytest.mark.parametrize("kind", CLASSIFIERS.names())
def test_shap_values_add_up_to_the_decision(expression, kind):
    model = CLASSIFIERS[kind]().fit(expression[:16], LABELS[:16])
    explained = shap_values(model, expression[16:])
    np.testing.assert_allclose(
        explained.base + explained.values.sum(axis=1), model.decision_function(expression[16:]), atol=1e-6
    )


@pytest.mark.parametrize("kind", ["elastic_net", "xgboost"])
def test_gene_contributions_add_up_to_held_out_decisions(expression, sets, kind):
    for builder in (Genes(max_genes=30), GeneSets(path=sets), Derived(max_genes=30)):
        procedure = _procedure(expression, builder, [kind])
        observed = procedure.observe(LABELS, 2)
        explained = explain_auto(observed.results)
        contributions = gather_contributions(explained, NAMES, LABELS)
        bases = np.zeros(N)
        for explanation in explained:
            bases[explanation.rows] += explanation.base / 2
        np.testing.assert_allclose(
            contributions.per_sample.sum(axis=1) + bases, observed.auto.decisions.mean(axis=0), atol=1e-6
        )


@pytest.mark.parametrize("kind", CLASSIFIERS.names())
def test_every_held_out_decision_of_every_classifier_is_base_and_contributions(expression, kind):
    procedure = _procedure(expression, Genes(max_genes=30), [kind])
    observed = procedure.observe(LABELS, 1)
    for explanation, model in zip(explain_models(observed.models), observed.models, strict=True):
        decided = observed.results[0].decisions[0, model.test_rows]
        np.testing.assert_allclose(explanation.base + explanation.values.sum(axis=1), decided, atol=1e-6)


@pytest.mark.parametrize("scorer", ADDITIVE)
def test_gene_parts_of_an_additive_signature_add_up_to_its_shap_values_exactly(expression, sets, scorer):
    procedure = _procedure(expression, GeneSets(path=sets, scorer=scorer), ["elastic_net"], replace(PLAN, trials=0))
    for model in procedure.observe(LABELS, 1).models:
        values = shap_values(model.classifier, model.test_features).values
        for coefficient, feature, parts in zip(model.classifier.coef_, values.T, model.gene_parts, strict=True):
            np.testing.assert_allclose((coefficient * parts.values).sum(axis=1), feature, rtol=0, atol=1e-12)
        contributions = _gathered([model])
        np.testing.assert_allclose(
            contributions.per_sample[model.test_rows].sum(axis=1), values.sum(axis=1), atol=1e-12
        )


def test_a_gene_gets_what_it_adds_itself(expression, tmp_path):
    """Mean z of three genes under a linear rule: a gene's part is its own z, not a third of the signature's."""
    path = tmp_path / "one.gmt"
    path.write_text("A_UP\t\tg0\tg1\nA_DN\t\tg2\n")
    builder = GeneSets(path=str(path), scorer="mean_z", min_genes=1)
    procedure = _procedure(expression, builder, ["elastic_net"], replace(PLAN, trials=0))
    (model, *_) = procedure.observe(LABELS, 1).models
    training = np.setdiff1d(np.arange(N), model.test_rows)
    few = expression[:, :3]
    z = (few - few[training].mean(axis=0)) / few[training].std(axis=0, ddof=1)
    parts = z * [0.5, 0.5, -1.0]
    by_hand = model.classifier.coef_[0] * parts / parts[training].sum(axis=1).std()
    explained = explain_models([model])[0]
    np.testing.assert_array_equal(explained.genes, [0, 1, 2])
    np.testing.assert_allclose(explained.values, by_hand[model.test_rows], atol=1e-12)
    np.testing.assert_allclose(explained.signed, (by_hand * np.sign(z))[model.test_rows], atol=1e-12)


def test_a_score_that_is_no_sum_is_shared_out_by_weight(expression, sets):
    procedure = _procedure(expression, GeneSets(path=sets, scorer="ulm"), ["elastic_net"], replace(PLAN, trials=0))
    (model, *_) = procedure.observe(LABELS, 1).models
    assert model.gene_parts is None
    values = shap_values(model.classifier, model.test_features).values
    shares = np.abs(model.gene_shares.toarray())
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    explained = explain_models([model])[0]
    np.testing.assert_allclose(explained.values, values @ shares[:, explained.genes], atol=1e-12)
    # More of a gene that lowers a feature is less of the feature.
    signed_shares = model.gene_shares.toarray()[:, explained.genes]
    assert signed_shares.min() < 0 < signed_shares.max()
    directed = values * np.sign(model.test_features)
    np.testing.assert_allclose(explained.signed, directed @ signed_shares, atol=1e-12)


def test_signatures_of_one_gene_and_genes_give_the_same_table(expression, tmp_path):
    path = tmp_path / "single.gmt"
    path.write_text("".join(f"S{index}\t\tg{index}\n" for index in range(GENES)))
    builders = (GeneSets(path=str(path), scorer="mean_z", min_genes=1), Genes(max_genes=GENES))
    tables = []
    for builder in builders:
        builder.fixed_length = GENES
        procedure = _procedure(expression, builder, ["elastic_net"], replace(PLAN, trials=0))
        table = _gathered(procedure.observe(LABELS, 2).models).table()
        tables.append(table.set_index("gene").sort_index())
    np.testing.assert_allclose(tables[0], tables[1], atol=1e-6)


def test_only_held_out_rows_are_explained(expression):
    procedure = _procedure(expression, Genes(max_genes=30), ["nearest_centroid", "elastic_net"])
    observed = procedure.observe(LABELS, 1)
    explained = explain_auto(observed.results)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([explanation.rows for explanation in explained])), np.arange(N)
    )
    for explained_model in explained:
        np.testing.assert_array_equal(observed.results[0].fold[explained_model.rows], explained_model.fold)


@pytest.mark.parametrize("scorer", [None, "singscore", "mean_z"])
def test_no_value_of_a_training_row_is_explained(expression, sets, scorer):
    """Models fitted before an edit of their own training rows explain held-out rows as before: nothing else is looked at."""
    builder = Genes(max_genes=30) if scorer is None else GeneSets(path=sets, scorer=scorer)
    procedure = _procedure(expression, builder, ["elastic_net"])
    models = procedure.observe(LABELS, 1).models
    before = explain_models(models)
    expression[:] = 1e6
    for model, one, other in zip(models, before, explain_models(models), strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert len(one.values) == len(model.test_rows)


def test_a_held_out_row_changes_its_own_explanation_only(expression, sets):
    subject = 5

    def explained(values):
        procedure = _procedure(values, GeneSets(path=sets, scorer="mean_z"), ["elastic_net"])
        return explain_models(procedure.observe(LABELS, 1).models)

    edited = expression.copy()
    edited[subject] += 3.0
    changed = 0
    for one, other in zip(explained(expression), explained(edited), strict=True):
        if subject in one.rows:
            others = one.rows != subject
            np.testing.assert_array_equal(one.values[others], other.values[others])
            changed += not np.allclose(one.values[~others], other.values[~others])
    assert changed == 1


def test_a_gene_that_raises_the_odds_has_a_positive_direction_and_support(expression):
    expression[:, 0] += 4 * LABELS
    expression[:, 1] -= 6 * LABELS
    procedure = _procedure(expression, Genes(max_genes=10), ["nearest_centroid"])
    table = _gathered(procedure.observe(LABELS, 2).models).table().set_index("gene")
    assert table.loc["g0", "direction"] > 0 > table.loc["g1", "direction"]
    assert table.loc[["g0", "g1"], "support"].min() > 0
    assert table.loc["g0", "sign_consistency"] == 1
    assert table.loc["g0", "leading_share"] == 1


def test_genes_of_one_name_are_added_up_and_those_without_left_out(expression):
    procedure = _procedure(expression, Genes(max_genes=10), ["nearest_centroid"])
    explained = explain_models(procedure.observe(LABELS, 2).models)
    of_genes = gather_contributions(explained, NAMES, LABELS)
    groups = np.where(np.arange(GENES) < 3, "few", np.where(np.arange(GENES) < 5, "others", ""))
    signs = np.where(np.arange(GENES) == 1, -1, 1).astype(np.int8)
    contributions = gather_contributions(explained, groups, LABELS, signs)
    assert contributions.genes.tolist() == ["few", "others"]
    column = {gene: index for index, gene in enumerate(of_genes.genes)}
    few = [column[gene] for gene in ("g0", "g1", "g2") if gene in column]
    np.testing.assert_allclose(contributions.per_sample[:, 0], of_genes.per_sample[:, few].sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(contributions.support[:, 0], of_genes.support[:, few].sum(axis=1), atol=1e-12)
    turned = of_genes.slope[:, few] @ [-1.0 if of_genes.genes[column] == "g1" else 1.0 for column in few]
    np.testing.assert_allclose(contributions.slope[:, 0], turned, atol=1e-12)


@pytest.mark.parametrize("kind", CLASSIFIERS.names())
def test_the_explanation_of_a_row_does_not_depend_on_the_rows_explained_with_it(expression, kind):
    model = CLASSIFIERS[kind]().fit(expression[:16], LABELS[:16])
    together, alone = shap_values(model, expression[16:]), shap_values(model, expression[16:17])
    assert alone.base == pytest.approx(together.base, abs=1e-12)
    np.testing.assert_allclose(alone.values, together.values[:1], atol=1e-12)


def test_contributions_by_hand():
    """Two repeats of four samples; the second repeat has one fold that uses gene a only."""
    labels = np.array([1, 0, 1, 0], dtype=np.int8)
    explanations = [
        FoldExplanation(
            0,
            0,
            np.array([0, 1]),
            0.5,
            np.array([0, 2]),
            np.array([[1.0, 2.0], [-1, 4]]),
            np.array([[1.0, -2.0], [1, 4]]),
        ),
        FoldExplanation(
            0,
            1,
            np.array([2, 3]),
            0.5,
            np.array([2, 3]),
            np.array([[3.0, 9.0], [-5, 9]]),
            np.array([[3.0, 9.0], [5, 9]]),
        ),
        FoldExplanation(
            1, 0, np.arange(4), 0.5, np.array([0]), np.array([[2.0], [2], [-2], [0]]), np.array([[2.0], [-2], [2], [0]])
        ),
    ]
    names = np.array(["a", "b", "c", ""])
    gathered = gather_contributions(explanations, names, labels)
    assert gathered.genes.tolist() == ["a", "c"]
    np.testing.assert_allclose(gathered.magnitude, [[0.5, 3.5], [1.5, 0.0]])
    np.testing.assert_allclose(gathered.support, [[0.5, 1.5], [-0.5, 0.0]])
    np.testing.assert_allclose(gathered.slope, [[0.5, 2.5], [0.5, 0.0]])
    np.testing.assert_allclose(gathered.per_sample.T, [[1.5, 0.5, -1.0, 0.0], [1.0, 2.0, 1.5, -2.5]])
    np.testing.assert_allclose(gathered.frequency, [2 / 3, 2 / 3])
    reversed_c = gather_contributions(explanations, names, labels, np.array([1, 1, -1, 1], dtype=np.int8))
    np.testing.assert_allclose(reversed_c.slope, [[0.5, -2.5], [0.5, 0.0]])
    np.testing.assert_allclose(reversed_c.support, gathered.support)


def test_genes_of_one_group_are_added_up_before_their_size_is_taken():
    explanation = FoldExplanation(
        0, 0, np.arange(2), 0.0, np.arange(3), np.array([[1.0, -3.0, 2.0], [1.0, 1.0, 2.0]]), np.zeros((2, 3))
    )
    gathered = gather_contributions([explanation], np.array(["x", "x", "y"]), np.array([1, 0], dtype=np.int8))
    np.testing.assert_allclose(gathered.magnitude, [[2.0, 2.0]])
    np.testing.assert_allclose(gathered.per_sample, [[-2.0, 2.0], [2.0, 2.0]])


def test_the_table_by_hand():
    slope = np.array([[1.0, 0.0, -2.0, 0.0], [1.0, 0.0, 1.0, -1.0]])
    magnitude = np.array([[1.0, 2.0, 3.0, 0.0], [3.0, 2.0, 1.0, 0.0]])
    of_genes = Contributions(
        np.array(["b", "a", "c", "d"]), magnitude, -slope, slope, np.zeros((5, 4)), np.array([0.1, 0.2, 0.3, 0.4])
    )
    table = of_genes.table()
    # Equal contributions stand in the order of names.
    assert table["gene"].tolist() == ["a", "b", "c", "d"]
    assert table["contribution"].tolist() == [2.0, 2.0, 2.0, 0.0]
    assert table["direction"].tolist() == [0.0, 1.0, -0.5, -0.5]
    assert table["support"].tolist() == [0.0, -1.0, 0.5, 0.5]
    # A repeat without a slope agrees with none.
    assert table["sign_consistency"].tolist() == [0.0, 1.0, 0.5, 0.5]
    np.testing.assert_allclose(table["contribution_low"], [2.0, 1.05, 1.05, 0.0])
    np.testing.assert_allclose(table["contribution_high"], [2.0, 2.95, 2.95, 0.0])
    assert table["selection_frequency"].tolist() == [0.2, 0.1, 0.3, 0.4]
    assert table["leading_share"].tolist() == [1.0, 1.0, 1.0, 0.0]


def test_only_the_largest_contributions_of_a_repeat_lead():
    magnitude = np.vstack([np.arange(25.0, 0.0, -1.0), np.arange(1.0, 26.0)])
    names = np.array([f"g{index:02d}" for index in range(25)])
    of_genes = Contributions(names, magnitude, magnitude, magnitude, np.zeros((2, 25)), np.ones(25))
    share = of_genes.table().set_index("gene")["leading_share"]
    assert share[["g00", "g04", "g05", "g19", "g20", "g24"]].tolist() == [0.5, 0.5, 1.0, 1.0, 0.5, 0.5]


def test_gene_parts_are_stored_for_linear_models_of_auto_and_once_for_each_column(expression, sets):
    procedure = _procedure(
        expression,
        GeneSets(path=sets, scorer="mean_z"),
        ["elastic_net", "xgboost", "nearest_centroid"],
        replace(PLAN, trials=0),
    )
    (result,) = procedure.observe(LABELS, 1).results
    linear = {(model.candidate, model.fold) for model in result.models if model.classifier.linear}
    assert {(model.candidate, model.fold) for model in result.models if model.gene_parts is not None} == linear
    one, other = (
        next(model for model in result.models if model.fold == 0 and model.candidate == index) for index in (0, 2)
    )
    of_one = dict(zip(one.columns.tolist(), one.gene_parts, strict=True))
    common = [
        (of_one[column], parts)
        for column, parts in zip(other.columns.tolist(), other.gene_parts, strict=True)
        if column in of_one
    ]
    assert common
    assert all(first is second for first, second in common)


@pytest.mark.parametrize("kind", ["elastic_net", "nearest_centroid", "majority"])
def test_linear_contributions_are_those_of_shap(expression, kind):
    import shap

    model = CLASSIFIERS[kind]().fit(expression[:16], LABELS[:16])
    explainer = shap.LinearExplainer((model.coef_, model.intercept_), np.zeros((1, GENES)))
    values = shap_values(model, expression[16:]).values
    np.testing.assert_allclose(values, explainer.shap_values(expression[16:]), rtol=0, atol=1e-12)


def test_autos_contributions_are_the_mean_of_its_members_and_add_up(expression, sets):
    """Builders of genes and of sets, linear models and trees together."""
    search_data = SearchData(expression, NAMES, np.arange(N), np.zeros(N, dtype=int))
    candidates = [
        Candidate(builder.name, builder, CLASSIFIERS[kind])
        for builder in (Genes(max_genes=30), GeneSets(path=sets, scorer="mean_z"))
        for kind in ("elastic_net", "xgboost")
    ]
    # Where nothing is tuned all candidates count.
    plan = replace(PLAN, trials=0)
    observed = Procedure(search_data, candidates, plan, Workers(1)).observe(LABELS, 1)
    (result,) = observed.results
    explained = explain_auto(observed.results)
    assert [(fold.repeat, fold.fold) for fold in explained] == [(0, fold) for fold in range(PLAN.folds)]
    for fold in explained:
        members = result.members(fold.fold)
        assert len(members) == 4
        of_members = explain_models(members)
        assert fold.base == pytest.approx(np.mean([member.base for member in of_members]))
        np.testing.assert_allclose(fold.base + fold.values.sum(axis=1), result.auto[fold.rows], atol=1e-6)
        gene = fold.genes[0]
        parts = [
            member.values[:, member.genes == gene].sum(axis=1) if gene in member.genes else np.zeros(len(fold.rows))
            for member in of_members
        ]
        np.testing.assert_allclose(fold.values[:, 0], np.mean(parts, axis=0), atol=1e-12)
    table = gather_contributions(explained, NAMES, LABELS).table().set_index("gene")["selection_frequency"]
    share = np.mean([NAMES.tolist().index("g0") in model.gene_shares.indices for model in observed.models])
    assert table.get("g0", 0.0) == pytest.approx(share)


def test_a_group_is_used_by_the_models_that_use_any_of_its_genes():
    one = FoldExplanation(0, 0, np.arange(2), 0.5, np.array([0, 2]), np.ones((2, 2)), np.ones((2, 2)))
    other = FoldExplanation(0, 0, np.arange(2), 1.5, np.array([1]), np.ones((2, 1)), np.ones((2, 1)))
    mean = mean_explanation([one, other], [0.75, 0.25])
    assert mean.base == 0.75
    np.testing.assert_allclose(mean.values, [[0.75, 0.25, 0.75]] * 2)
    groups = np.array(["both", "both", "first"])
    gathered = gather_contributions([mean], groups, np.array([0, 1], dtype=np.int8))
    assert gathered.genes.tolist() == ["both", "first"]
    np.testing.assert_allclose(gathered.frequency, [1.0, 0.75])
    # Weights are shares, and their order is no matter.
    np.testing.assert_array_equal(mean_explanation([other, one], [1.0, 3.0]).values, mean.values)

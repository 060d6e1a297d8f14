import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.evaluation.procedure import Procedure
from responder_ml.explanation.attribution import auto_models, contributions, explain
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.material import Material
from responder_ml.search.nested import Plan
from responder_ml.search.workers import Workers

N, GENES = 24, 90
NAMES = np.array([f"g{index}" for index in range(GENES)])
LABELS = np.array([0, 1] * (N // 2), dtype=np.int8)
PLAN = Plan(folds=3, inner_folds=2, trials=3, seed=2)


@pytest.fixture
def expression(rng):
    values = rng.normal(size=(N, GENES))
    values[:, :6] += 1.5 * LABELS[:, None]
    return values


def _procedure(expression, builder, kinds):
    material = Material(expression, NAMES, np.arange(N), np.zeros(N, dtype=int))
    candidates = [Candidate(builder.name, builder, CLASSIFIERS[kind]) for kind in kinds]
    return Procedure(material, candidates, PLAN, Workers(1))


@pytest.fixture
def sets(tmp_path):
    path = tmp_path / "sets.gmt"
    lines = [["A_UP", "", *NAMES[:8]], ["A_DN", "", *NAMES[20:28]], ["B", "", *NAMES[40:60]], ["C", "", *NAMES[5:15]]]
    path.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    return str(path)


@pytest.mark.parametrize("kind", CLASSIFIERS.names())
def test_shap_values_add_up_to_the_decision(expression, kind):
    model = CLASSIFIERS[kind]().fit(expression[:16], LABELS[:16])
    explained = explain(model, expression[16:])
    np.testing.assert_allclose(
        explained.base + explained.values.sum(axis=1), model.decision_function(expression[16:]), atol=1e-6
    )


@pytest.mark.parametrize("kind", ["elastic_net", "xgboost"])
def test_gene_contributions_add_up_to_held_out_decisions(expression, sets, kind):
    for builder in (Genes(max_genes=30), GeneSets(path=sets)):
        procedure = _procedure(expression, builder, [kind])
        observed = procedure.observe(LABELS, 2)
        found = contributions(auto_models(observed.results), procedure.genes_of, LABELS)
        expected = np.zeros(N)
        for model in observed.models:
            explained = explain(model.classifier, model.test)
            expected[model.test_rows] += (explained.base + explained.values.sum(axis=1)) / 2
        bases = np.zeros(N)
        for model in observed.models:
            bases[model.test_rows] += explain(model.classifier, model.test).base / 2
        np.testing.assert_allclose(found.per_sample.sum(axis=1) + bases, expected, atol=1e-9)
        np.testing.assert_allclose(expected, observed.auto.decisions.mean(axis=0), atol=1e-6)


def test_gene_parts_of_a_signature_add_up_to_its_shap_value_exactly(expression, sets):
    procedure = _procedure(expression, GeneSets(path=sets), ["elastic_net"])
    model = procedure.observe(LABELS, 1).models[0]
    values = explain(model.classifier, model.test).values
    found = contributions([model], procedure.genes_of, LABELS)
    np.testing.assert_allclose(found.per_sample[model.test_rows].sum(axis=1), values.sum(axis=1), atol=1e-14)


def test_only_held_out_rows_are_explained(expression):
    procedure = _procedure(expression, Genes(max_genes=30), ["nearest_centroid", "elastic_net"])
    observed = procedure.observe(LABELS, 1)
    chosen = auto_models(observed.results)
    rows = np.concatenate([model.test_rows for model in chosen])
    np.testing.assert_array_equal(np.sort(rows), np.arange(N))
    for model in chosen:
        np.testing.assert_array_equal(observed.results[0].fold[model.test_rows], model.fold)


def test_a_gene_that_raises_the_odds_has_a_positive_direction_and_support(expression):
    expression[:, 0] += 4 * LABELS
    expression[:, 1] -= 6 * LABELS
    procedure = _procedure(expression, Genes(max_genes=10), ["nearest_centroid"])
    table = contributions(auto_models(procedure.observe(LABELS, 2).results), procedure.genes_of, LABELS).table()
    table = table.set_index("gene")
    assert table.loc["g0", "direction"] > 0 > table.loc["g1", "direction"]
    assert table.loc[["g0", "g1"], "support"].min() > 0
    assert table.loc["g0", "sign_consistency"] == 1

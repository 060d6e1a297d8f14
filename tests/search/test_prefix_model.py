"""Builders that look beyond expression, through the engine, into a model file and back."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.bundles.model_file import pack_models, unpack_models
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.read import keep_rows
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.procedure import Procedure
from responder_ml.explanation.attribution import explain_models
from responder_ml.features.builders.derived import Derived
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.features.builders.reference import Reference
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

PLAN = SearchPlan(folds=3, inner_folds=2, trials=3, seed=5)
BUILDERS = {
    "derived": Derived(units="counts", max_genes=60),
    "derived_adjusted": Derived(units="counts", max_genes=60, covariates=("drug",)),
    "pairs": Pairs(units="counts", n_genes=40),
    "reference": Reference(
        ["susceptibility_reversal", "stress_axis", "ketamine_axis", "nonresponder_opposition"],
        units="counts",
        n_genes=20,
    ),
}


@pytest.fixture(scope="module")
def labelled():
    cohort = keep_rows(simulate_cohort(seed=3, n_genes=800, effect=2.0), {"region": "PFC"})
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder", ("drug",)))


@pytest.fixture(scope="module", params=BUILDERS)
def searched(request, labelled):
    search_data = SearchData.of(labelled)
    builder = BUILDERS[request.param]
    candidates = [
        Candidate("it", builder, CLASSIFIERS[kind]) for kind in ("elastic_net", "nearest_centroid", "xgboost")
    ]
    shared = {"it": builder.share(search_data.expression, search_data.genes, search_data.context)}
    (result,) = search_draws(search_data, shared, candidates, PLAN, [Draw(labelled.labels, 1)], keep_models=True)
    return search_data, candidates, result


def _refit(search_data, candidates, labels, model, rows):
    candidate = candidates[model.candidate]
    params = model.tuned.params
    plain = PrefixModel(candidate.builder, candidate.make(params), candidate.length(params, 10_000))
    return plain.fit(
        search_data.expression[rows], labels[rows], genes=search_data.genes, context=search_data.context.take(rows)
    )


def test_outer_models_equal_prefix_models_fitted_on_the_same_rows(searched, labelled):
    search_data, candidates, result = searched
    for model in result.models:
        train = result.fold != model.fold
        plain = _refit(search_data, candidates, labelled.labels, model, train)
        decisions = plain.decision_function(search_data.expression[~train])
        np.testing.assert_allclose(decisions, result.decisions[model.candidate][~train], atol=1e-6)
        behind = list(plain.genes_of_features().values())
        assert len(behind) == len(model.columns) == model.gene_shares.shape[0]
        for feature, (genes, shares) in enumerate(behind):
            row = model.gene_shares[[feature]].toarray()[0]
            np.testing.assert_allclose(row[np.isin(search_data.genes, genes)].sum(), shares.sum(), atol=1e-9)
            assert set(search_data.genes[row != 0]) == set(genes[shares != 0])


def test_a_model_file_holds_what_was_learnt_and_no_other_animal(searched, labelled):
    search_data, candidates, result = searched
    everyone = np.ones(len(labelled.labels), dtype=bool)
    model = _refit(search_data, candidates, labelled.labels, result.models[0], everyone)
    content = pack_models([model])
    ((again,), _) = unpack_models(content)
    np.testing.assert_array_equal(
        again.decision_function(search_data.expression), model.decision_function(search_data.expression)
    )
    assert {name: (list(genes), shares.tolist()) for name, (genes, shares) in again.genes_of_features().items()} == {
        name: (list(genes), shares.tolist()) for name, (genes, shares) in model.genes_of_features().items()
    }
    numbers = [array for value in _arrays(again) if (array := np.asarray(value)).dtype.kind == "f" and array.size > 200]
    for row in search_data.context.outside:
        assert not any(np.array_equal(row, line) for array in numbers for line in np.atleast_2d(array))


def _arrays(value):
    if isinstance(value, np.ndarray):
        yield value
    elif hasattr(value, "__dict__"):
        for part in vars(value).values():
            yield from _arrays(part)


@pytest.mark.parametrize("name", BUILDERS)
def test_editing_a_held_out_subject_changes_no_model_that_did_not_see_it(name, labelled, rng):
    builder = BUILDERS[name]
    candidates = [Candidate("it", builder, CLASSIFIERS["nearest_centroid"])]
    search_data, subject = SearchData.of(labelled), 4

    def models(search_data, labels):
        shared = {"it": builder.share(search_data.expression, search_data.genes, search_data.context)}
        return search_draws(search_data, shared, candidates, PLAN, [Draw(labels, 0)], keep_models=True)[0]

    before = models(search_data, labelled.labels)
    expression = search_data.expression.copy()
    expression[subject] = rng.permutation(expression[subject]) * 2
    sheet = search_data.context.sheet.copy()
    sheet.iloc[subject, sheet.columns.get_loc("response")] = "responder"
    after = models(
        replace(search_data, expression=expression, context=replace(search_data.context, sheet=sheet)), labelled.labels
    )
    held_out = before.fold[subject]
    for one, other in zip(before.models, after.models, strict=True):
        if one.fold == held_out:
            assert one.tuned.params == other.tuned.params
            np.testing.assert_array_equal(one.columns, other.columns)
            np.testing.assert_array_equal(one.gene_shares.indices, other.gene_shares.indices)
            np.testing.assert_allclose(one.classifier.coef_, other.classifier.coef_, rtol=1e-7)


def test_contributions_resolve_to_genes(searched, labelled):
    search_data, candidates, result = searched
    procedure = Procedure(search_data, candidates, PLAN, Workers(1))
    for model in result.models:
        explained = explain_models([model])[0]
        np.testing.assert_array_equal(explained.genes, procedure.genes_used(model))
        decision = explained.base + explained.values.sum(axis=1)
        np.testing.assert_allclose(decision, model.classifier.decision_function(model.test_features), rtol=0, atol=1e-6)


def test_probabilities_and_classes_follow_the_log_odds(rng):
    labels = np.array(["no", "yes"] * 10)
    values = rng.normal(size=(20, 30)) + 0.7 * (labels == "yes")[:, None]
    model = PrefixModel(Genes(units="log2"), CLASSIFIERS["elastic_net"](), 4)
    model.fit(values, labels, genes=np.array([f"g{index}" for index in range(30)]))
    log_odds, probabilities = model.decision_function(values), model.predict_proba(values)
    np.testing.assert_allclose(probabilities[:, 1], 1.0 / (1.0 + np.exp(-log_odds)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert model.predict(values).tolist() == ["yes" if value > 0 else "no" for value in log_odds]
    assert set(model.predict(values)) == {"yes", "no"}

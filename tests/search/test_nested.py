"""The engine against a plain scikit-learn pipeline, and against itself one at a time."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.classifiers.xgboost import XGBoost
from responder_ml.features.builders.genes import Genes
from responder_ml.search import nested
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import AcrossCohorts, assign_folds
from responder_ml.search.tune import InnerScore, Tuned, tune
from responder_ml.statistics.moderated_t import moderated_t
from responder_ml.statistics.seeds import generator, integer_seed
from responder_ml.statistics.training_sets import TrainingSets

PLAN = SearchPlan(folds=4, inner_folds=3, trials=12, seed=11)
FIXED_FORMS = SearchPlan(folds=4, inner_folds=3, trials=0, seed=3)


class LogCPM(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return np.log2((X + 0.5) / (X.sum(axis=1, keepdims=True) + 1) * 1e6)


class Expressed(TransformerMixin, BaseEstimator):
    """Mark unexpressed genes by making them constant, so that plain pipelines can hand counts on."""

    def fit(self, X, y=None):
        cpm = X / X.sum(axis=1, keepdims=True) * 1e6
        self.kept_ = (cpm >= 1).sum(axis=0) >= np.ceil(0.25 * len(X))
        return self

    def transform(self, X):
        return LogCPM().fit_transform(X)[:, self.kept_]


def _absolute_t(X, y):
    return np.abs(moderated_t(X, y == 1, y == 0))


@pytest.fixture
def counts(rng):
    labels = np.array([0, 1] * 12, dtype=np.int8)
    mean = np.exp(rng.normal(size=800) * 2 + 3)
    effect = np.where(np.arange(800) < 40, 0.6, 0.0) * labels[:, None]
    expression = rng.poisson(mean * np.exp(rng.normal(size=(24, 800)) * 0.4 + effect)).astype(float)
    genes = np.array([f"g{index}" for index in range(800)])
    return SearchData(expression, genes, np.arange(24), np.zeros(24, dtype=int)), labels


def _plain(kind, params):
    if kind == "elastic_net":
        model = LogisticRegression(C=params["C"], l1_ratio=0, tol=1e-12, max_iter=100_000)
    else:
        model = XGBClassifier(
            n_estimators=50, max_depth=params["max_depth"], learning_rate=params["learning_rate"],
            min_child_weight=params["min_child_weight"], colsample_bytree=0.3, reg_lambda=1.0,
            tree_method="hist", random_state=0, n_jobs=1, base_score=None,
        )  # fmt: skip
    return Pipeline(
        [
            ("normalise_filter", Expressed()),
            ("select", SelectKBest(_absolute_t, k=params["n_features"])),
            ("scale", StandardScaler()),
            ("model", model),
        ]
    )


DEFAULTS = {"C": 0.1} | XGBoost().get_params()


def _margin(pipeline, X):
    if isinstance(pipeline[-1], XGBClassifier):
        return pipeline[-1].predict(pipeline[:-1].transform(X), output_margin=True)
    return pipeline.decision_function(X)


@pytest.mark.parametrize(("kind", "fixed"), [("elastic_net", {"l1_ratio": 0.0}), ("xgboost", {})])
def test_engine_equals_plain_pipeline_searched_by_the_same_sampler(counts, kind, fixed):
    search_data, labels = counts
    builder = Genes(units="counts", normalisation="log_cpm", max_genes=200)
    candidate = Candidate("genes", builder, CLASSIFIERS[kind], fixed)
    shared = {"genes": builder.share(search_data.expression, search_data.genes)}
    result = search_draws(search_data, shared, [candidate], PLAN, [Draw(labels, 0)])[0]

    X = search_data.expression
    expected = np.empty(24)
    outer = assign_folds(labels, search_data.strata, PLAN.folds, generator(PLAN.seed, "outer", 0))
    for fold in range(PLAN.folds):
        train = np.flatnonzero(outer != fold)
        rng = generator(PLAN.seed, "inner", fold, 0)
        inner = assign_folds(labels, search_data.strata, PLAN.inner_folds, rng, outer != fold)[train]

        def objective(params, train=train, inner=inner):
            aurocs, losses = [], []
            for held_out in range(PLAN.inner_folds):
                fit, test = train[inner != held_out], train[inner == held_out]
                pipeline = _plain(kind, params).fit(X[fit], labels[fit])
                margin = _margin(pipeline, X[test])
                aurocs.append(roc_auc_score(labels[test], margin))
                losses.append(log_loss(labels[test], 1 / (1 + np.exp(-margin)), labels=[0, 1]))
            return InnerScore(np.array(aurocs), float(np.mean(losses)))

        best = tune(
            candidate.space(200, len(train)),
            lambda settings, objective=objective: [objective({**DEFAULTS, **params}) for params in settings],
            trials=PLAN.trials,
            seed=integer_seed(PLAN.seed, "tune", candidate.name),
            inner_folds=PLAN.inner_folds,
            fixed=candidate.fixed_form_params(200),
        )
        pipeline = _plain(kind, {**DEFAULTS, **best.params}).fit(X[train], labels[train])
        expected[outer == fold] = _margin(pipeline, X[outer == fold])
    np.testing.assert_allclose(result.decisions[0], expected, atol=1e-6)


@pytest.mark.parametrize("normalisation", ["log_cpm", "tmm"])
@pytest.mark.parametrize("kind", CLASSIFIERS.names())
def test_outer_models_equal_prefix_model_fitted_on_the_same_rows(counts, kind, normalisation):
    search_data, labels = counts
    builder = Genes(units="counts", normalisation=normalisation, max_genes=100)
    candidate = Candidate("genes", builder, CLASSIFIERS[kind])
    shared = {"genes": builder.share(search_data.expression, search_data.genes)}
    plan = SearchPlan(folds=3, inner_folds=2, trials=3, seed=5)
    result = search_draws(search_data, shared, [candidate], plan, [Draw(labels, 1)], keep_models=True)[0]
    for model in result.models:
        train = result.fold != model.fold
        plain = PrefixModel(builder, candidate.make(model.tuned.params), candidate.length(model.tuned.params, 100))
        plain.fit(search_data.expression[train], labels[train], genes=search_data.genes)
        np.testing.assert_array_equal(plain.features_, search_data.genes[model.columns])
        np.testing.assert_allclose(
            plain.decision_function(search_data.expression[~train]), result.decisions[0][~train], atol=1e-8
        )


def test_many_draws_equal_one_at_a_time(counts, rng):
    search_data, labels = counts
    builder = Genes(units="counts", max_genes=50)
    candidates = [Candidate("genes", builder, CLASSIFIERS[kind]) for kind in ("nearest_centroid", "elastic_net")]
    shared = {"genes": builder.share(search_data.expression, search_data.genes)}
    draws = [Draw(rng.permutation(labels), 0) for _ in range(4)]
    plan = SearchPlan(folds=3, inner_folds=2, trials=3, seed=5)
    together = search_draws(search_data, shared, candidates, plan, draws)
    for draw, result in zip(draws, together, strict=True):
        alone = search_draws(search_data, shared, candidates, plan, [draw])[0]
        np.testing.assert_allclose(result.decisions, alone.decisions, atol=1e-9)
        np.testing.assert_array_equal(result.weights, alone.weights)


@pytest.mark.parametrize("normalisation", ["log_cpm", "tmm"])
def test_editing_a_held_out_subject_changes_no_model_that_did_not_see_it(counts, rng, normalisation):
    search_data, labels = counts
    builder = Genes(units="counts", normalisation=normalisation, max_genes=100)
    candidates = [Candidate("genes", builder, CLASSIFIERS[kind]) for kind in ("nearest_centroid", "elastic_net")]
    plan = SearchPlan(folds=4, inner_folds=2, trials=4, seed=5)

    def models(expression):
        edited = SearchData(expression, search_data.genes, search_data.subject_of, search_data.strata)
        shared = {"genes": builder.share(expression, search_data.genes)}
        return search_draws(edited, shared, candidates, plan, [Draw(labels, 0)], keep_models=True)[0]

    before = models(search_data.expression)
    subject = 7
    edited = search_data.expression.copy()
    edited[subject] = rng.poisson(50, size=800) * rng.integers(0, 9, size=800)
    after = models(edited)
    held_out_fold = before.fold[subject]
    for one, other in zip(before.models, after.models, strict=True):
        if one.fold == held_out_fold:
            assert one.tuned.params == other.tuned.params
            np.testing.assert_array_equal(one.columns, other.columns)
            np.testing.assert_allclose(one.classifier.coef_, other.classifier.coef_, rtol=1e-12)
    seen = [m for m in zip(before.models, after.models, strict=True) if m[0].fold != held_out_fold]
    assert any(len(a.columns) != len(b.columns) or (a.columns != b.columns).any() for a, b in seen)


@pytest.mark.parametrize(("n", "relabellings"), [(23, 12), (150, 2)])
def test_relabellings_of_fixed_forms_equal_a_plain_pipeline(rng, n, relabellings):
    labels = np.resize(np.array([0, 1], dtype=np.int8), n)
    X = rng.normal(size=(n, 1500)) * rng.lognormal(-0.7, 0.5, size=1500) + rng.normal(6, 2, size=1500)
    # Genes that never vary among most samples call for limma's floor.
    X[:, :3] = 0.0
    X[0, :3] = 1.0
    search_data = SearchData(X, np.arange(1500).astype(str), np.arange(n), np.zeros(n, dtype=int))
    builder = Genes(units="log2")
    candidate = Candidate("genes", builder, ElasticNet)
    draws = [Draw(rng.permutation(labels), repeat % 2) for repeat in range(relabellings)]
    shared = {"genes": builder.share(X, search_data.genes)}
    results = search_draws(search_data, shared, [candidate], FIXED_FORMS, draws)
    for draw, result in zip(draws, results, strict=True):
        folds = assign_folds(
            draw.labels, search_data.strata, FIXED_FORMS.folds, generator(FIXED_FORMS.seed, "outer", draw.repeat)
        )
        np.testing.assert_array_equal(result.fold, folds)
        for fold in range(FIXED_FORMS.folds):
            train = folds != fold
            pipeline = Pipeline(
                [
                    ("select", SelectKBest(_absolute_t, k=builder.fixed_length)),
                    ("scale", StandardScaler()),
                    ("model", LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000)),
                ]
            )
            expected = pipeline.fit(X[train], draw.labels[train]).decision_function(X[~train])
            np.testing.assert_allclose(result.decisions[0][~train], expected, atol=1e-6)


@pytest.fixture
def recorded(monkeypatch):
    """Return the names from which seeds are derived, in the order in which they are used."""
    names = []

    def record(derive):
        def recorder(seed, *parts):
            names.append(parts)
            return derive(seed, *parts)

        return recorder

    monkeypatch.setattr(nested, "generator", record(generator))
    monkeypatch.setattr(nested, "integer_seed", record(integer_seed))
    return names


def _two_candidates(search_data):
    builder = Genes(units="counts", max_genes=50)
    candidates = [Candidate("genes", builder, CLASSIFIERS[kind]) for kind in ("nearest_centroid", "elastic_net")]
    return candidates, {"genes": builder.share(search_data.expression, search_data.genes)}


def test_seeds_are_named_by_what_they_are_for_the_fold_the_candidate_and_the_repeat(counts, recorded):
    search_data, labels = counts
    candidates, shared = _two_candidates(search_data)
    search_draws(search_data, shared, candidates, SearchPlan(2, 2, 1, 7), [Draw(labels, 3), Draw(labels, 4)])
    assert recorded == [
        *[("outer", repeat) for repeat in (3, 4)],
        *[("inner", fold, repeat) for repeat in (3, 4) for fold in (0, 1)],
        *[("tune", candidate.name) for _ in range(4) for candidate in candidates],
    ]


@pytest.mark.parametrize("scores", [(0.6, 0.8), (0.7, 0.7), (float("nan"), float("nan"))])
def test_auto_is_the_mean_of_the_candidates_whatever_their_inner_scores(counts, monkeypatch, scores):
    search_data, labels = counts
    candidates, shared = _two_candidates(search_data)
    values = iter(scores * 2)

    def tune(space, objective, **options):
        return Tuned({"n_features": 10}, next(values), (), ())

    monkeypatch.setattr(nested, "tune", tune)
    plan = SearchPlan(2, 2, 1, 7)
    (result,) = search_draws(search_data, shared, candidates, plan, [Draw(labels, 0)], keep_models=True)
    np.testing.assert_array_equal(result.weights, np.full((2, 2), 0.5))
    np.testing.assert_array_equal(result.inner_scores, np.array([scores, scores]).T)
    np.testing.assert_allclose(result.auto, result.decisions.mean(axis=0))
    assert not np.array_equal(result.decisions[0], result.decisions[1])


def test_weights_may_differ_between_folds_and_models_carry_them(counts, monkeypatch):
    search_data, labels = counts
    candidates, shared = _two_candidates(search_data)
    weights = iter(np.array([[0.25, 0.75], [1.0, 0.0]]))
    monkeypatch.setattr(nested, "candidate_weights", lambda scores, inner_folds: next(weights))
    plan = SearchPlan(2, 2, 1, 7)
    (result,) = search_draws(search_data, shared, candidates, plan, [Draw(labels, 0)], keep_models=True)
    first = result.fold == 0
    expected = 0.25 * result.decisions[0][first] + 0.75 * result.decisions[1][first]
    np.testing.assert_allclose(result.auto[first], expected)
    np.testing.assert_array_equal(result.auto[~first], result.decisions[0][~first])
    assert [[model.weight for model in result.members(fold)] for fold in (0, 1)] == [[0.25, 0.75], [1.0]]
    one, other = result.members(0)
    np.testing.assert_allclose(result.inner_decisions(0), 0.25 * one.inner_decisions + 0.75 * other.inner_decisions)
    np.testing.assert_array_equal(result.inner_decisions(1), result.members(1)[0].inner_decisions)


def test_no_prefix_is_longer_than_the_fewest_columns_of_any_training_set(counts):
    search_data, labels = counts
    candidates, shared = _two_candidates(search_data)
    sets = TrainingSets(np.ones((3, 24), dtype=bool), np.tile(labels, (3, 1)))
    ranked = shared["genes"].rank(sets)
    ranked[1] = replace(ranked[1], position=ranked[1].position[:4])
    plan, training = SearchPlan(2, 2, 0, 7), nested.TrainingSet(np.ones(24, dtype=bool), ())
    tuned = nested.tune_candidates(search_data, {"genes": ranked}, candidates, plan, Draw(labels, 0), training, 0)
    assert [best.params for best, _ in tuned] == [{"n_features": 4}, {"n_features": 4}]


def test_subjects_that_are_only_trained_on_get_no_decision(counts):
    search_data, labels = counts
    candidates, shared = _two_candidates(search_data)
    first, partner = np.arange(24) < 12, np.full(24, -1)
    partner[:4] = np.arange(12, 16)
    split = AcrossCohorts(first, ~first, partner)
    plan = SearchPlan(2, 2, 0, 7)
    (result,) = search_draws(search_data, shared, candidates, plan, [Draw(labels, 0)], split=split)
    np.testing.assert_array_equal(np.isnan(result.decisions), np.tile(first, (2, 1)))

"""Many relabellings of a fixed pipeline at once against scikit-learn, one at a time."""

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.nested import Draw, SearchPlan, search_draws
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import assign_folds
from responder_ml.statistics.moderated_t import moderated_t
from responder_ml.statistics.seeds import generator

PLAN = SearchPlan(folds=4, inner_folds=3, trials=0, seed=3)


def _absolute_t(X, y):
    return np.abs(moderated_t(X, y == 1, y == 0))


@pytest.mark.parametrize(("n", "relabellings"), [(23, 12), (150, 2)])
def test_relabellings_equal_a_plain_pipeline(rng, n, relabellings):
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
    results = search_draws(search_data, shared, [candidate], PLAN, draws)
    for draw, found in zip(draws, results, strict=True):
        folds = assign_folds(draw.labels, search_data.strata, PLAN.folds, generator(PLAN.seed, "outer", draw.repeat))
        np.testing.assert_array_equal(found.fold, folds)
        for fold in range(PLAN.folds):
            train = folds != fold
            pipeline = Pipeline(
                [
                    ("select", SelectKBest(_absolute_t, k=builder.fixed_length)),
                    ("scale", StandardScaler()),
                    ("model", LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000)),
                ]
            )
            expected = pipeline.fit(X[train], draw.labels[train]).decision_function(X[~train])
            np.testing.assert_allclose(found.decisions[0][~train], expected, atol=1e-6)

"""Nothing leaks; and the test that says so can fail."""

import numpy as np

from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.search_data import SearchData
from responder_ml.statistics.moderated_t import moderated_t

SUBJECTS, GENES, COHORTS = 20, 2000, 12
PLAN = SearchPlan(folds=5, inner_folds=3, trials=5, seed=3)


def _nested_auroc(expression, labels):
    search_data = SearchData(
        expression, np.arange(expression.shape[1]).astype(str), np.arange(SUBJECTS), np.zeros(SUBJECTS, int)
    )
    builder = Genes(max_genes=50)
    candidate = Candidate("genes", builder, ElasticNet, {"l1_ratio": 0.0})
    shared = {"genes": builder.share(search_data.expression, search_data.genes)}
    results = search_draws(search_data, shared, [candidate], PLAN, [Draw(labels, repeat) for repeat in range(2)])
    decisions = np.stack([result.auto for result in results])
    folds = np.stack([result.fold for result in results])
    return auroc(OutOfFold(labels, decisions, folds, np.zeros_like(decisions)))


def test_noise_stays_in_its_band_and_selection_outside_the_folds_leaves_it(rng):
    honest, leaking = [], []
    for _ in range(COHORTS):
        labels = rng.permutation(np.arange(SUBJECTS) % 2).astype(np.int8)
        expression = rng.normal(size=(SUBJECTS, GENES))
        honest.append(_nested_auroc(expression, labels))
        strongest = np.argsort(-np.abs(moderated_t(expression, labels == 1, labels == 0)))[:50]
        leaking.append(_nested_auroc(expression[:, strongest], labels))
    # The AUROC of 20 subjects of noise has a standard deviation near 0.14, its mean over 12 cohorts near 0.04.
    assert 0.35 < np.mean(honest) < 0.65
    assert np.mean(leaking) > 0.9

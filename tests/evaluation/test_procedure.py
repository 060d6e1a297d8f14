"""The observed labels and relabelled ones go through the same procedure, to the last bit."""

import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.evaluation.metrics import statistic_of
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.nested import Plan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

LABELS = np.repeat([1, 0], [6, 7]).astype(np.int8)
STRATA = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize("kind", CLASSIFIERS.names())
@pytest.mark.parametrize("repeats", [1, 2])
def test_statistic_of_the_observed_labels_is_that_of_the_same_labels_among_relabelled_ones(rng, kind, repeats):
    for seed in range(3):
        counts = rng.poisson(rng.gamma(2.0, 20.0, size=400), size=(13, 400)).astype(np.float64)
        search_data = SearchData(counts, np.arange(400).astype(str), np.arange(13), STRATA)
        fixed = {"rounds": 10} if kind == "xgboost" else {}
        candidates = [
            Candidate("genes", Genes(units="counts", max_genes=60), CLASSIFIERS[name], kept)
            for name, kept in ((kind, fixed), ("nearest_centroid", {}))
        ]
        procedure = Procedure(search_data, candidates, Plan(5, 3, 2, seed), Workers(1))
        observed = statistic_of(procedure.observe(LABELS, repeats).auto)
        among = list(draw_labellings(LABELS, STRATA, 7, np.random.default_rng(seed)))
        among.insert(seed, LABELS)
        assert next(iter(procedure.statistics([LABELS], repeats)))[0] == observed
        assert next(iter(procedure.statistics(among, repeats)))[seed] == pytest.approx(observed, abs=1e-13)

"""Leave-pair-out against a plain loop, and against pooled leave-one-out on noise."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.evaluation.auroc_interval import pairs_interval
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.small_n import pairs_are_few
from responder_ml.features.builders.genes import Genes
from responder_ml.search import nested
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.leave_pair_out import every_pair, search_pairs
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

LABELS = np.repeat([1, 0], [6, 7]).astype(np.int8)
FIXED, TUNED = (
    SearchPlan(folds=5, inner_folds=3, trials=0, seed=5),
    SearchPlan(folds=5, inner_folds=3, trials=4, seed=5),
)


def _search_data(rng, planted=0, effect=0.0, genes=300, samples_each=1):
    X = rng.normal(8.0, 1.0, size=(13 * samples_each, genes))
    X[:, :planted] += effect * np.repeat(LABELS, samples_each)[:, None]
    subject_of = np.repeat(np.arange(13), samples_each)
    return SearchData(X, np.arange(genes).astype(str), subject_of, np.zeros(13, dtype=np.intp))


def _procedure(search_data, plan, kinds=("nearest_centroid",)):
    builder = Genes(units="log2", max_genes=50)
    return Procedure(search_data, [Candidate("genes", builder, CLASSIFIERS[kind]) for kind in kinds], plan, Workers(1))


def test_equals_a_plain_loop_over_pairs(rng):
    search_data = _search_data(rng, planted=10, effect=1.0, samples_each=2)
    result = _procedure(search_data, FIXED).leave_pair_out(LABELS)
    of_sample = LABELS[search_data.subject_of]
    for row, positive in enumerate(np.flatnonzero(LABELS == 1)):
        for column, negative in enumerate(np.flatnonzero(LABELS == 0)):
            rest = ~np.isin(search_data.subject_of, [positive, negative])
            model = PrefixModel(Genes(units="log2", max_genes=50), CLASSIFIERS["nearest_centroid"](), 20)
            model.fit(search_data.expression[rest], of_sample[rest])
            above, below = (
                model.decision_function(search_data.expression[search_data.subject_of == subject]).mean()
                for subject in (positive, negative)
            )
            assert result.right[row, column] == float(above > below)
    np.testing.assert_array_equal(result.met, np.ones((6, 7)))


def test_held_out_pair_leaves_no_trace_in_what_judges_it(rng):
    search_data = _search_data(rng)
    pair = every_pair(LABELS)[9]
    kinds = ("elastic_net", "nearest_centroid")
    edited = search_data.expression.copy()
    edited[pair.positive] = edited[pair.negative]
    decisions = [
        search_pairs(case.search_data, case._shared, case.candidates, TUNED, LABELS, [pair])[0]
        for case in (
            _procedure(search_data, TUNED, kinds),
            _procedure(replace(search_data, expression=edited), TUNED, kinds),
        )
    ]
    # The negative is judged as before; the positive, now its copy, is judged like it.
    assert decisions[0][1] == pytest.approx(decisions[1][1], abs=1e-9)
    assert decisions[1][0] == pytest.approx(decisions[1][1], abs=1e-9)
    assert decisions[0][0] != pytest.approx(decisions[0][1], abs=1e-3)


def test_pairs_do_not_depend_on_which_are_searched_together(rng):
    procedure = _procedure(_search_data(rng), TUNED, ("elastic_net", "nearest_centroid"))
    pairs = every_pair(LABELS)[:12]
    together = search_pairs(procedure.search_data, procedure._shared, procedure.candidates, TUNED, LABELS, pairs)
    alone = [
        search_pairs(procedure.search_data, procedure._shared, procedure.candidates, TUNED, LABELS, [pair])[0]
        for pair in pairs
    ]
    np.testing.assert_allclose(together, alone, atol=1e-8)


def test_pairs_are_numbered_in_order_and_their_seeds_are_named_by_these_numbers(rng, monkeypatch):
    pairs = every_pair(LABELS)
    assert [(pair.number, pair.positive, pair.negative) for pair in pairs] == [
        (7 * positive + negative, positive, 6 + negative) for positive in range(6) for negative in range(7)
    ]
    names = []

    def record(derive):
        return lambda seed, *parts: names.append(parts) or derive(seed, *parts)

    for name in ("generator", "integer_seed"):
        monkeypatch.setattr(nested, name, record(getattr(nested, name)))
    procedure = _procedure(_search_data(rng), TUNED)
    search_pairs(procedure.search_data, procedure._shared, procedure.candidates, TUNED, LABELS, pairs[8:10])
    tuned = [("tune", "genes+nearest_centroid")] * 2
    assert names == [("inner", 8, -2), ("inner", 9, -2), *tuned]


def test_noise_gives_one_half_where_pooled_leave_one_out_falls_far_below(rng):
    by_pair, pooled = [], []
    for _ in range(40):
        search_data = _search_data(rng)
        by_pair.append(float(_procedure(search_data, FIXED).leave_pair_out(LABELS).auroc()))
        decisions = np.empty(13)
        for left_out in range(13):
            rest = np.arange(13) != left_out
            model = PrefixModel(Genes(units="log2", max_genes=50), CLASSIFIERS["nearest_centroid"](), 20)
            model.fit(search_data.expression[rest], LABELS[rest])
            decisions[left_out] = model.decision_function(search_data.expression[[left_out]])[0]
        pooled.append(np.mean(decisions[LABELS == 1][:, None] > decisions[LABELS == 0]))
    # The dossier's own simulation of such cohorts: 0.485 and 0.275.
    assert 0.4 < np.mean(by_pair) < 0.6
    assert np.mean(pooled) < 0.4
    assert np.mean(by_pair) > np.mean(pooled) + 0.1


def test_a_large_effect_is_seen_and_its_interval_is_near(rng):
    result = _procedure(_search_data(rng, planted=20, effect=3.0), TUNED).leave_pair_out(LABELS)
    assert result.auroc() > 0.95
    low, high = pairs_interval(result)
    # Thirteen subjects exclude one half, and not much more.
    assert 0.5 < low <= result.auroc() <= high == 1.0


@pytest.mark.parametrize(
    ("positive", "negative", "few"), [(6, 7, True), (9, 16, True), (9, 17, False), (10, 10, False), (3, 3, True)]
)
def test_rule_says_where_subjects_are_few(positive, negative, few):
    assert pairs_are_few(positive, negative) is few
    assert pairs_are_few(negative, positive) is few

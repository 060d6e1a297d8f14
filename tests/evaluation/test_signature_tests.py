"""Tests of external signatures: brute force over all labellings, limma's t, calibration, and intervals that cover."""

from itertools import combinations

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import ttest_ind

from responder_ml.contrasts.gene_effects import GeneEffects
from responder_ml.contrasts.signature_agreement import SignatureWeights
from responder_ml.errors import ContrastError
from responder_ml.evaluation.signature_tests import auroc_within, hedges_factor, run_signature_tests
from responder_ml.statistics.concordance import auroc

GENES, SETS = 60, 4
LABELS = np.array([1, 1, 1, 0, 0, 0, 0], dtype=np.int8)


def _weights(rng):
    table = rng.normal(size=(GENES, SETS)) * (np.arange(GENES)[:, None] % SETS == np.arange(SETS))
    return sparse.csr_array(table)


def _run(rng, labels=LABELS, strata=None, covariates=None, scores=None, log2=None, relabellings=2000):
    log2 = rng.normal(8, 1, (len(labels), GENES)) if log2 is None else log2
    weights = _weights(rng)
    scores = log2 @ weights.toarray() if scores is None else scores
    strata = np.zeros(len(labels), dtype=np.intp) if strata is None else strata
    ranked = np.ones(weights.shape[1], dtype=bool)
    tests = run_signature_tests(scores, log2, weights, ranked, labels, strata, covariates, relabellings, 7)
    return tests, scores, log2, weights


def test_p_is_that_of_all_labellings_by_brute_force(rng):
    tests, scores, log2, weights = _run(rng)
    prepared, t, cosine = SignatureWeights(weights, np.ones(SETS, dtype=bool)), [], []
    for positive in combinations(range(7), 3):
        labels = np.isin(np.arange(7), positive)
        t.append([ttest_ind(column[labels], column[~labels]).statistic for column in scores.T])
        design = np.column_stack([np.ones(7), labels.astype(float)])
        cosine.append(prepared.agreement(GeneEffects.of(log2, design).t[None]).cosine[0])
    assert (tests.labellings, tests.run, tests.exact) == (35, 35, True)
    for values, statistic, factor in (
        (np.array(t), tests.difference, hedges_factor(5) * np.sqrt(1 / 3 + 1 / 4)),
        (np.array(cosine), tests.cosine, 1.0),
    ):
        np.testing.assert_allclose(statistic.observed, factor * values[0], rtol=1e-8)
        np.testing.assert_allclose(statistic.no_effect, factor * values.mean(axis=0), atol=1e-8)
        distance = np.abs(values - values.mean(axis=0))
        np.testing.assert_allclose(statistic.p_value, np.mean(distance >= distance[0] - 1e-9, axis=0))
    assert np.all(tests.difference.corrected_p >= tests.difference.p_value)


def test_the_correction_is_westfall_and_youngs_and_twins_cost_nothing(rng):
    log2 = rng.normal(8, 1, (7, GENES))
    scores = np.repeat(log2[:, :1], SETS, axis=1)
    tests, *_ = _run(rng, scores=scores, log2=log2)
    np.testing.assert_allclose(tests.difference.corrected_p, tests.difference.p_value)


def test_strata_and_covariates_are_in_the_model_of_scores_and_of_genes(rng):
    labels = np.array([1, 0] * 8, dtype=np.int8)
    strata = np.repeat([0, 1], 8)
    age = rng.normal(60, 5, (16, 1))
    log2 = rng.normal(8, 1, (16, GENES)) + 3.0 * strata[:, None] + 0.5 * age
    tests, scores, _, weights = _run(rng, labels, strata, age, log2=log2)
    design = np.column_stack([strata == 0, strata == 1, age, labels]).astype(float)
    of_scores = np.linalg.lstsq(design, scores, rcond=None)
    residual = np.sqrt(of_scores[1] / 12)
    np.testing.assert_allclose(tests.difference.observed, hedges_factor(12) * of_scores[0][-1] / residual, rtol=1e-6)
    t = GeneEffects.of(log2, design).t
    expected = SignatureWeights(weights, np.ones(SETS, dtype=bool)).agreement(t[None])
    np.testing.assert_allclose(tests.cosine.observed, expected.cosine[0], rtol=1e-6)
    np.testing.assert_allclose(tests.spearman.observed, expected.spearman[0])
    adjusted = scores - design[:, :3] @ of_scores[0][:3]
    np.testing.assert_allclose(tests.auroc, auroc_within(adjusted, labels, strata))


def test_the_auroc_compares_within_strata_only(rng):
    labels = np.array([1, 0, 0, 1, 0, 1], dtype=np.int8)
    scores = rng.normal(size=(6, 2))
    assert auroc_within(scores, labels, np.zeros(6, dtype=int))[0] == pytest.approx(auroc(labels, scores[:, 0]))
    strata = np.array([0, 0, 0, 1, 1, 1])
    moved = scores + 100.0 * strata[:, None]
    np.testing.assert_allclose(auroc_within(moved, labels, strata), auroc_within(scores, labels, strata))


def test_a_score_that_never_varies_has_no_difference_and_stops_no_other(rng):
    log2 = rng.normal(8, 1, (7, GENES))
    scores = np.column_stack([np.full(7, 0.1), log2[:, 0], log2[:, 1], log2[:, 2]])
    tests, *_ = _run(rng, scores=scores, log2=log2)
    assert np.isnan(tests.difference.observed[0])
    assert np.isnan([tests.difference.p_value[0], tests.low[0], tests.standard_error[0], tests.auroc[0]]).all()
    assert np.isfinite(tests.difference.corrected_p[1:]).all()


def test_classes_that_go_with_strata_or_leave_nothing_are_refused(rng):
    with pytest.raises(ContrastError, match="without exception"):
        _run(rng, strata=LABELS.astype(int))
    with pytest.raises(ContrastError, match="leave nothing"):
        _run(rng, covariates=rng.normal(size=(7, 5)))


def test_few_labellings_are_drawn_where_there_are_many(rng):
    labels = np.array([1, 0] * 10, dtype=np.int8)
    tests, *_ = _run(rng, labels, relabellings=50)
    assert (tests.labellings, tests.run, tests.exact) == (184_756, 50, False)
    assert tests.difference.p_value.min() >= 1 / 50


@pytest.mark.parametrize("with_covariate", [False, True])
def test_null_cohorts_give_uniform_p_and_the_interval_covers(rng, with_covariate):
    p_values, corrected, cosine, covered, truth = [], [], [], [], 1.0
    for _ in range(300):
        shared = rng.normal(size=(13, 1))
        log2 = rng.normal(size=(13, GENES)) + shared
        labels = rng.permutation(np.repeat([1, 0], [6, 7])).astype(np.int8)
        covariate = labels[:, None] + rng.normal(size=(13, 1)) if with_covariate else None
        tests, *_ = _run(rng, labels, log2=log2, covariates=covariate, relabellings=60)
        p_values.append(tests.difference.p_value[0])
        corrected.append(tests.difference.corrected_p.min())
        cosine.append(tests.cosine.p_value[0])
        one = rng.normal(size=(13, 1)) + truth * labels[:, None]
        moved, *_ = _run(rng, labels, log2=log2, scores=np.repeat(one, SETS, axis=1), relabellings=2)
        covered.append(moved.low[0] <= truth <= moved.high[0])
    # Three standard errors of a share of 5 %, of 300.
    for values in (p_values, corrected, cosine):
        assert np.mean(np.array(values) <= 0.05) <= 0.05 + 0.04
    assert np.mean(np.array(p_values) <= 0.5) == pytest.approx(0.5, abs=0.1)
    assert np.mean(covered) >= 0.95 - 0.04

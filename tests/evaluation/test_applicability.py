from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import spearmanr, t

from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.evaluation import applicability as module
from responder_ml.evaluation.applicability import (
    Spread,
    TrainingProfile,
    assess_applicability,
    left_out_distances,
)
from responder_ml.evaluation.marker_check import SHARE_BEYOND, prediction_limit
from responder_ml.features.builders.genes import Genes
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData
from responder_ml.statistics.training_sets import TrainingSets

UNITS = ("counts", "log2")


def _values(units, seed, samples=16, genes=300):
    rng = np.random.default_rng(seed)
    profile = np.exp(np.random.default_rng(99).normal(size=genes) * 1.5 + 5)
    labels = (np.arange(samples) % 2).astype(np.int8)
    effect = np.where(np.arange(genes) < 20, 0.5, 0.0) * labels[:, None]
    counts = rng.poisson(profile * np.exp(rng.normal(size=(samples, genes)) * 0.25 + effect)).astype(float)
    return (counts if units == "counts" else np.log2(counts + 1)), labels


def _model(values, labels, units, length=15):
    genes = np.array([f"g{index}" for index in range(values.shape[1])])
    return PrefixModel(Genes(units=units), NearestCentroid(), length).fit(values, labels, genes=genes)


def _profile(units, samples=16, length=15):
    values, labels = _values(units, 1, samples)
    model = _model(values, labels, units, length)
    return TrainingProfile.learn(model, _search_data(values), units, labels), model, values, labels


def _search_data(values, subject_of=None):
    subject_of = np.arange(len(values)) if subject_of is None else subject_of
    genes = np.array([f"g{index}" for index in range(values.shape[1])])
    return SearchData(values, genes, subject_of, np.zeros(subject_of.max() + 1, dtype=np.intp))


def test_distance_is_mahalanobis_with_the_shrunk_covariance(rng):
    values = rng.normal(size=(12, 30)) @ rng.normal(size=(30, 30))
    standardised = (values - values.mean(axis=0)) / values.std(axis=0)
    spread = Spread.of(standardised)
    covariance = (1 - spread.shrinkage) * standardised.T @ standardised / 12 + spread.shrinkage * np.eye(30)
    new = rng.normal(size=(5, 30))
    expected = [np.sqrt(row @ np.linalg.solve(covariance, row)) for row in new]
    np.testing.assert_allclose(spread.distance(new), expected)


def test_features_that_never_vary_do_not_break_the_distance():
    spread = Spread.of(np.zeros((6, 3)))
    np.testing.assert_allclose(spread.distance(np.array([[3.0, 4.0, 0.0]])), [5.0])


def test_the_covariance_is_always_shrunk_a_little(rng):
    # Of 500 samples of one strong axis Ledoit and Wolf would shrink hardly at all.
    standardised = np.column_stack([rng.normal(size=500)] * 2) + rng.normal(0, 0.01, size=(500, 2))
    assert Spread.of(standardised).shrinkage == 0.05


@pytest.mark.parametrize("units", UNITS)
def test_left_out_distances_are_those_of_models_fitted_without_the_subject(units):
    values, labels = _values(units, 2, 10)
    subject_of = np.array([0, 1, 2, 3, 4, 5, 6, 7, 0, 1])
    labels = labels[subject_of]
    distances = left_out_distances(_model(values, labels, units), _search_data(values, subject_of), labels)
    for subject in range(8):
        out = subject_of == subject
        model = _model(values[~out], labels[~out], units)
        expected = Spread.of(model.standardised(values[~out])).distance(model.standardised(values[out]))
        np.testing.assert_allclose(distances[out], expected, rtol=1e-6)


def test_many_subjects_are_left_out_in_groups():
    values, labels = _values("log2", 3, 46)
    distances = left_out_distances(_model(values, labels, "log2"), _search_data(values), labels)
    assert np.isfinite(distances).all()
    assert (distances > 0).all()


def test_every_group_left_out_leaves_both_classes_in_training(monkeypatch):
    training_sets = []

    def record(rows, labels):
        training_sets.append((rows, labels))
        return TrainingSets(rows, labels)

    monkeypatch.setattr(module, "TrainingSets", record)
    values, _ = _values("log2", 3, 40)
    # Two positives that would fall into one group, were subjects assigned in the order of the table.
    labels = np.isin(np.arange(40), [0, 20]).astype(np.int8)
    left_out_distances(_model(values, labels, "log2"), _search_data(values), labels)
    ((rows, _),) = training_sets
    assert len(rows) == 20
    assert ((rows & (labels == 1)).sum(axis=1) >= 1).all()
    assert ((~rows).sum(axis=0) == 1).all()


def test_prediction_limit_by_hand_and_by_simulation(rng):
    values = np.array([1.0, 2.0, 4.0])
    expected = 7 / 3 + t.ppf(1 - SHARE_BEYOND, 2) * np.std(values, ddof=1) * np.sqrt(4 / 3)
    assert prediction_limit(values, 3) == pytest.approx(expected)
    beyond = [rng.normal() > prediction_limit(rng.normal(size=8), 8) for _ in range(5_000)]
    assert np.mean(beyond) == pytest.approx(SHARE_BEYOND, abs=0.003)


def test_profile_genes_are_expressed_by_most_samples_and_spread_over_the_range_of_expression(monkeypatch):
    values, labels = _values("counts", 1)
    values[:9, 7] = 0.0
    model, data = _model(values, labels, "counts"), _search_data(values)
    genes = TrainingProfile.learn(model, data, "counts", labels).profile_genes
    np.testing.assert_array_equal(genes, np.delete(np.arange(300), 7))
    monkeypatch.setattr(module, "PROFILE_GENES", 50)
    chosen = TrainingProfile.learn(model, data, "counts", labels).profile_genes
    assert len(chosen) == 50
    assert (np.diff(chosen) > 0).all()
    rank = np.argsort(np.argsort(values[:, genes].mean(axis=0)))[np.isin(genes, chosen)]
    assert (np.diff(np.sort(rank)) >= 5).all()
    assert (rank.min(), rank.max()) == (0, 298)


@pytest.mark.parametrize("units", UNITS)
def test_correlations_leave_the_subject_out(units):
    training, _, values, _ = _profile(units)
    chosen = values[:, training.profile_genes]
    ranks = np.stack([np.argsort(np.argsort(row)) for row in chosen])
    for row in range(3):
        others = np.delete(ranks, row, axis=0).mean(axis=0)
        assert training.correlations[row] == pytest.approx(spearmanr(chosen[row], others).statistic, abs=2e-3)


def test_correlation_of_new_samples_is_spearmans():
    training, *_ = _profile("log2")
    new, _ = _values("log2", 7, 4)
    correlations = training.correlate(new, np.ones(300, dtype=bool))
    for row in range(4):
        expected = spearmanr(new[row, training.profile_genes], training.profile).statistic
        assert correlations[row] == pytest.approx(expected)
    # Any increasing change of scale, and genes that are missing, leave it defined.
    np.testing.assert_allclose(training.correlate(np.exp(new / 5), np.ones(300, dtype=bool)), correlations)
    some = np.arange(300) % 3 > 0
    holed = np.where(some, new, np.nan)
    assert np.isfinite(training.correlate(holed, some)).all()
    assert np.isnan(training.correlate(holed, np.arange(300) < 20)).all()


@pytest.mark.parametrize("units", UNITS)
def test_percentile_counts_left_out_training_samples_that_were_nearer(units):
    training, *_ = _profile(units)
    ordered = np.sort(training.distances)
    percentiles = training.percentile(np.array([0.0, (ordered[3] + ordered[4]) / 2, 1e9]))
    np.testing.assert_allclose(percentiles, [0.0, 25.0, 100.0])


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize(("samples", "length"), [(12, 60), (16, 15), (40, 15)])
def test_samples_of_the_training_kind_are_rarely_flagged(units, samples, length):
    training, model, *_ = _profile(units, samples, length)
    new, _ = _values(units, 11, 200)
    applicability = assess_applicability(training, new, np.ones(300, dtype=bool), model.standardised(new))
    assert np.mean([bool(flags) for flags in applicability.flags]) <= 0.05


@pytest.mark.parametrize("units", UNITS)
def test_samples_unlike_training_are_flagged_with_the_reason(units, rng):
    training, model, values, _ = _profile(units)
    unlike = values[:, rng.permutation(300)]
    applicability = assess_applicability(training, unlike, np.ones(300, dtype=bool), model.standardised(unlike))
    assert all("profile" in flags for flags in applicability.flags)
    assert all("correlates" in reason for reason in applicability.reasons)


def test_limits_of_markers_add_their_flags_and_reasons():
    training, model, values, _ = _profile("log2")
    crossed = [[("region", "markers are low"), ("region", "others are high")], [("contamination", "blood is high")], []]
    markers = SimpleNamespace(find=lambda values, present: crossed)
    applicability = assess_applicability(
        training, values[:3], np.ones(300, dtype=bool), model.standardised(values[:3]), markers
    )
    assert applicability.flags == (("region",), ("contamination",), ())
    assert applicability.reasons == ("markers are low; others are high", "blood is high", "")


def test_a_feature_far_outside_training_is_flagged_by_distance_alone():
    training, model, values, _ = _profile("log2")
    odd = values[:1].copy()
    odd[0, model.builder_.position_[model.columns_]] += 6.0
    applicability = assess_applicability(training, odd, np.ones(300, dtype=bool), model.standardised(odd))
    assert "distance" in applicability.flags[0]
    assert "beyond" in applicability.reasons[0]


def test_the_least_library_is_a_tenth_of_the_smallest_in_training():
    training, _, values, _ = _profile("counts")
    assert training.least_library == pytest.approx(values.sum(axis=1).min() / 10)
    assert _profile("log2")[0].least_library == 0.0


def test_a_shallow_library_is_flagged_and_a_narrow_table_is_not():
    training, model, values, _ = _profile("counts")
    everything = np.ones(300, dtype=bool)
    shallow = np.floor(values / 20)
    applicability = assess_applicability(training, shallow, everything, model.standardised(shallow))
    assert all("depth" in flags for flags in applicability.flags)
    half = np.argsort(np.argsort(-training.typical)) % 2 == 0
    applicability = assess_applicability(training, np.where(half, values, np.nan), half, model.standardised(values))
    assert not any("depth" in flags for flags in applicability.flags)
    # A tenth of the smallest library is more than all that weakly expressed genes have.
    weak = np.argsort(np.argsort(training.typical)) < 100
    applicability = assess_applicability(training, np.where(weak, values, np.nan), weak, model.standardised(values))
    assert np.nanmax(applicability.library) < training.least_library
    assert not any("depth" in flags for flags in applicability.flags)
    assert np.isnan(assess_applicability(*_log2_case()).library).all()


def _log2_case():
    training, model, values, _ = _profile("log2")
    return training, values, np.ones(300, dtype=bool), model.standardised(values)


def test_editing_a_new_sample_changes_nothing_for_another():
    training, model, *_ = _profile("counts")
    new, _ = _values("counts", 5, 4)
    everything = np.ones(300, dtype=bool)
    before = assess_applicability(training, new, everything, model.standardised(new))
    new[2] = 7.0
    after = assess_applicability(training, new, everything, model.standardised(new))
    unedited = [0, 1, 3]
    np.testing.assert_allclose(before.distance[unedited], after.distance[unedited], rtol=1e-12)
    np.testing.assert_allclose(before.correlation[unedited], after.correlation[unedited], rtol=1e-12)

import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.inner_folds import InnerFolds, InnerTestFold, TrainingSet
from responder_ml.search.search_data import SearchData
from responder_ml.statistics.concordance import auroc
from responder_ml.statistics.training_sets import TrainingSets

SUBJECTS = 18


@pytest.fixture
def folds(rng):
    """Return a function that makes the inner folds of a candidate; two samples per subject, three subjects kept out."""
    labels = np.array([0, 1] * (SUBJECTS // 2), dtype=np.int8)
    subject_of = np.repeat(np.arange(SUBJECTS), 2)
    values = rng.normal(size=(2 * SUBJECTS, 200)) + 0.5 * labels[subject_of][:, None]
    search_data = SearchData(values, np.arange(200).astype(str), subject_of, np.zeros(SUBJECTS, dtype=int))
    held_out = np.zeros((3, SUBJECTS), dtype=bool)
    held_out[np.arange(15) % 3, np.arange(15)] = True
    training = TrainingSet(np.arange(SUBJECTS) < 15, tuple(held_out))
    rows = training.rows(search_data)
    sets = TrainingSets(rows, np.tile(labels[subject_of], (len(rows), 1)))

    def make(kind):
        builder = Genes(units="log2", max_genes=50)
        candidate = Candidate("genes", builder, CLASSIFIERS[kind])
        ranked = builder.share(values, search_data.genes).rank(sets)
        blocks = training.blocks(search_data, labels, ranked[1:])
        return InnerFolds(candidate, 50, blocks, search_data, labels, training), blocks, candidate

    return make, search_data, training, labels


def test_rows_leave_out_outer_and_inner_held_out_subjects(folds):
    _, search_data, training, _ = folds
    rows = training.rows(search_data)
    assert rows.shape == (4, 2 * SUBJECTS)
    np.testing.assert_array_equal(rows[0], np.arange(2 * SUBJECTS) < 30)
    assert rows[1:].sum() == 3 * 20
    assert not rows[:, 30:].any()


@pytest.mark.parametrize("kind", ["elastic_net", "linear_svm", "xgboost", "nearest_centroid"])
def test_several_settings_together_equal_each_alone_and_columns_in_natural_order(folds, kind):
    make, _, training, labels = folds
    inner, blocks, candidate = make(kind)
    searched = {"elastic_net": [{"C": 0.01}, {"C": 0.5, "l1_ratio": 0.5}, {"C": 0.5}]}.get(kind, [{}, {}, {}])
    settings = [params | {"n_features": length} for params, length in zip(searched, (5, 20, 50), strict=True)]
    together = inner.scores(settings)
    for params, score in zip(settings, together, strict=True):
        (alone,) = inner.scores([params])
        np.testing.assert_allclose(alone.concordances, score.concordances, atol=1e-12)
        assert alone.loss == pytest.approx(score.loss, abs=1e-12)
        expected = np.full(SUBJECTS, np.nan)
        scores = []
        for block, held_out in zip(blocks, training.inner, strict=True):
            columns = block.columns(params["n_features"])
            classifier = candidate.make(params)
            classifier.learn(np.ascontiguousarray(block.train[:, columns]), block.labels)
            decision = classifier._decide(np.ascontiguousarray(block.test[:, columns]))
            subjects = np.flatnonzero(held_out)
            expected[subjects] = decision.reshape(-1, 2).mean(axis=1)
            scores.append(auroc(labels[subjects], expected[subjects]))
        np.testing.assert_allclose(score.concordances, scores, atol=1e-12)
        known = training.subjects
        signed = np.where(labels[known] == 1, 1.0, -1.0) * expected[known]
        # Inner folds are of one size here.
        assert score.loss == pytest.approx(np.mean(np.log1p(np.exp(-signed))), abs=1e-6)
        np.testing.assert_allclose(inner.decisions(params), expected, atol=1e-6)


LABELS = np.array([0, 1, 0, 1, 1], dtype=np.int8)


def test_one_sample_each_keeps_the_order_of_samples():
    fold = InnerTestFold.of(np.array([4, 0, 3]), LABELS)
    np.testing.assert_array_equal(fold.subjects, [4, 0, 3])
    np.testing.assert_array_equal(fold.means(np.array([0.1, 0.2, 0.3])), [0.1, 0.2, 0.3])
    assert NearestCentroid.judge(fold.target, fold.means(np.array([0.1, 0.2, 0.3])))[0] == pytest.approx(0.5)


def test_samples_of_a_subject_are_averaged_first():
    fold = InnerTestFold.of(np.array([2, 1, 2, 1, 0]), LABELS)
    scores = np.array([1.0, 5.0, 3.0, -1.0, 2.5])
    np.testing.assert_array_equal(fold.subjects, [0, 1, 2])
    np.testing.assert_allclose(fold.means(scores), [2.5, 2.0, 2.0])
    # Subject 1 is positive: below subject 0, level with subject 2.
    assert NearestCentroid.judge(fold.target, fold.means(scores))[0] == pytest.approx(0.25)

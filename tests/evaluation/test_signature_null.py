"""The two p of a replication: valid without effect, small with one, one-sided for the second study, and by strata."""

import numpy as np

from responder_ml.contrasts.relabelled_change import RelabelledChange
from responder_ml.evaluation.relabel import relabellings
from responder_ml.evaluation.signature_null import MOST_LABELLINGS, shown_p, signal_p

GENES = 200
LABELS = np.repeat([1, 0], [5, 5]).astype(np.int8)
ALONE = np.zeros(10, dtype=np.intp)


def study(rng, true, labels=LABELS):
    return RelabelledChange(rng.normal(size=(len(labels), GENES)) + np.outer(labels, true), np.ones((len(labels), 1)))


def test_without_effect_both_p_are_uniform(rng):
    signature, p = rng.normal(size=GENES), []
    for _ in range(150):
        change = study(rng, np.zeros(GENES))
        p.append((signal_p(change, LABELS, ALONE, 1).p_value, shown_p(change, signature, LABELS, ALONE, 1).p_value))
    for values in np.array(p).T:
        assert np.mean(values <= 0.1) < 0.2
        assert 0.4 < np.mean(values) < 0.6


def test_an_effect_is_seen_and_the_second_counts_in_one_direction(rng):
    true = rng.normal(size=GENES)
    change = study(rng, true)
    first = signal_p(change, LABELS, ALONE, 1)
    assert (first.exact, first.labellings, first.smallest) == (True, 252, 2 / 252)
    assert first.p_value == first.smallest
    assert shown_p(change, true, LABELS, ALONE, 1).p_value == 1 / 252
    assert shown_p(change, -true, LABELS, ALONE, 1).p_value == 1.0


def test_three_against_three_cannot_reach_the_usual_level(rng):
    labels = np.repeat([1, 0], 3).astype(np.int8)
    assert (
        signal_p(study(rng, 3 * rng.normal(size=GENES), labels), labels, np.zeros(6, dtype=np.intp), 1).smallest == 0.1
    )


def test_random_labellings_begin_with_the_observed_one_and_depend_on_the_seed_alone():
    labels = np.repeat([1, 0], 10).astype(np.int8)
    one, same, other = (
        relabellings(labels, np.zeros(20, dtype=np.intp), seed, "x", MOST_LABELLINGS) for seed in (1, 1, 2)
    )
    assert len(one) == MOST_LABELLINGS
    np.testing.assert_array_equal(one[0], labels)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_labels_are_exchanged_within_strata(rng):
    strata = np.repeat([0, 1], 5)
    labels = np.tile([1, 0, 0, 0, 1], 2).astype(np.int8)
    for labelling in relabellings(labels, strata, 1, "x", MOST_LABELLINGS):
        assert labelling[:5].sum() == 2
        assert labelling[5:].sum() == 2


def test_labellings_that_strata_explain_count_against(rng):
    others = np.column_stack([np.ones(6), [1, 1, 1, 0, 0, 0]])
    labels = np.array([1, 0, 1, 0, 1, 0], dtype=np.int8)
    result = signal_p(RelabelledChange(rng.normal(size=(6, GENES)), others), labels, np.zeros(6, dtype=np.intp), 1)
    # The observed labelling, and the two that are the stratum.
    assert result.p_value > 2.5 / 20

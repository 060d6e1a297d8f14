import numpy as np
import pytest

from responder_ml.errors import EndpointError
from responder_ml.search.draw import SearchPlan
from responder_ml.search.splits import (
    NEITHER,
    NO_FOLD,
    AcrossCohorts,
    FoldsOfClasses,
    assign_folds,
    assign_in_turn,
    complete_folds,
    complete_folds_of_pairs,
    complete_size,
    count_classes,
    folds_of_pairs,
    rounds_of_pairs,
)

LABELS = np.repeat([1, 0], [6, 7])
STRATA = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1])


def test_classes_and_sizes_differ_by_one_at_most_between_folds():
    for seed in range(20):
        folds = assign_folds(LABELS, STRATA, 5, np.random.default_rng(seed))
        for members in (LABELS == 1, LABELS == 0, np.ones(13, dtype=bool)):
            assert np.ptp(np.bincount(folds[members], minlength=5)) <= 1


def test_a_stratum_of_a_class_is_spread_over_as_many_folds_as_it_has_members():
    for seed in range(20):
        folds = assign_folds(LABELS, STRATA, 5, np.random.default_rng(seed))
        for label in (0, 1):
            for stratum in (0, 1):
                members = (label == LABELS) & (stratum == STRATA)
                assert len(np.unique(folds[members])) == members.sum()


def test_only_members_are_assigned():
    members = np.ones(13, dtype=bool)
    members[[0, 8]] = False
    folds = assign_folds(LABELS, STRATA, 3, np.random.default_rng(0), members)
    np.testing.assert_array_equal(folds == NO_FOLD, ~members)
    assert np.ptp(np.bincount(folds[members & (LABELS == 1)])) <= 1


def test_subjects_are_known_by_their_turn_not_by_their_row():
    # What makes a permutation test exact whatever the order of the sheet: rename the subjects, and folds are renamed with them.
    rng = np.random.default_rng(1)
    order, renamed = rng.permutation(13), rng.permutation(13)
    folds = assign_in_turn(LABELS, order, 5, 2)
    labels, expected = np.empty(13, dtype=int), np.empty(13, dtype=int)
    labels[renamed], expected[renamed] = LABELS, folds
    np.testing.assert_array_equal(assign_in_turn(labels, renamed[order], 5, 2), expected)


def test_positives_of_any_labelling_are_assigned_in_one_order():
    # Six folds for six positives: a positive's fold is its turn, counted from the first fold used.
    rng = np.random.default_rng(2)
    labellings = [rng.permutation(LABELS) for _ in range(200)]
    assigned = [assign_folds(labels, np.zeros(13, dtype=int), 6, np.random.default_rng(3)) for labels in labellings]

    def turns_agree(began: int) -> bool:
        before = np.zeros((13, 13), dtype=bool)
        for labels, folds in zip(labellings, assigned, strict=True):
            positives = np.flatnonzero(labels == 1)
            turns = (folds[positives] - began) % 6
            before[np.ix_(positives, positives)] |= turns[:, None] < turns
        return not np.any(before & before.T)

    assert sum(turns_agree(began) for began in range(6)) == 1


def _in_turn(labels, order, folds, offset):
    """The rule in plain loops: positives in turn from the offset on, then negatives from where these stopped."""
    assigned, turn = {}, offset
    for label in (1, 0):
        for subject in order:
            if labels[subject] == label:
                assigned[subject] = turn % folds
                turn += 1
    return [assigned.get(subject, NO_FOLD) for subject in range(len(labels))]


def _shuffled(strata, rng, members):
    """Subjects in random order, stratum by stratum, strata in random order."""
    subjects = rng.permutation(len(strata)).tolist()
    turns = rng.permutation(max(strata) + 1).tolist()
    return [subject for subject in sorted(subjects, key=lambda s: turns[strata[s]]) if members[subject]]


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_those_of_plain_loops_over_one_shuffle(seed):
    members = np.arange(13) != 4
    rng = np.random.default_rng(seed)
    offset = int(rng.integers(4))
    expected = _in_turn(LABELS, _shuffled(STRATA, rng, members), 4, offset)
    assert assign_folds(LABELS, STRATA, 4, np.random.default_rng(seed), members).tolist() == expected


@pytest.mark.parametrize("seed", range(5))
def test_across_cohorts_subjects_of_both_are_assigned_first_and_leave_training_where_they_are_tested(seed):
    # Subjects 0 to 12 of the first cohort, 13 to 25 of the second; 0, 2, 4, 6, 8 and 10 are also 13 to 18.
    labels, strata = np.concatenate([LABELS, LABELS]), np.concatenate([STRATA, STRATA])
    partner = np.full(26, -1)
    partner[[0, 2, 4, 6, 8, 10]] = np.arange(13, 19)
    first = np.arange(26) < 13
    folds = AcrossCohorts(first, ~first, partner).assign(
        labels, strata, SearchPlan(3, 2, 0, 1), 0, np.random.default_rng(seed)
    )
    rng, expected = np.random.default_rng(seed), np.full(26, NO_FOLD)
    for members in ((np.arange(26) >= 13) & (np.arange(26) < 19), np.arange(26) >= 19):
        order = _shuffled(strata, rng, members)
        expected[members] = np.array(_in_turn(labels, order, 3, int(rng.integers(3))))[members]
    expected[[0, 2, 4, 6, 8, 10]] = expected[13:19]
    np.testing.assert_array_equal(folds, expected)


@pytest.mark.parametrize(("folds", "members"), [(7, None), (1, None), (6, np.arange(13) > 0)])
def test_too_many_or_too_few_folds_are_refused(folds, members):
    with pytest.raises(EndpointError, match="subjects in each class"):
        assign_folds(LABELS, STRATA, folds, np.random.default_rng(0), members)


@pytest.mark.parametrize(("positives", "negatives"), [(6, 7), (7, 6), (3, 3), (5, 16), (10, 10), (11, 40)])
def test_a_complete_design_compares_every_pair_once_and_has_both_classes_in_every_fold(positives, negatives, rng):
    labels = rng.permutation(np.repeat([1, 0], [positives, negatives])).astype(np.int8)
    strata = np.zeros(len(labels), dtype=np.intp)
    smaller = min(positives, negatives)
    assert complete_size(count_classes(labels, strata)) == (smaller, smaller)
    met = np.zeros((positives, negatives))
    for repeat in range(smaller):
        folds = complete_folds(labels, strata, repeat)
        assert sorted(set(folds)) == list(range(smaller))
        met += folds[labels == 1][:, None] == folds[labels == 0]
        sizes = np.bincount(folds)
        assert sizes.max() - sizes.min() <= 1
    assert (met == 1).all()


@pytest.mark.parametrize("counts", [[(3, 3), (3, 4)], [(2, 5), (4, 4)], [(3, 9), (5, 2)], [(4, 4), (0, 3), (2, 0)]])
def test_a_complete_design_compares_every_pair_of_a_stratum_and_none_of_two(counts, rng):
    labels = np.concatenate([np.repeat([1, 0], count) for count in counts]).astype(np.int8)
    strata = np.repeat(np.arange(len(counts)), [sum(count) for count in counts])
    order = rng.permutation(len(labels))
    labels, strata = labels[order], strata[order]
    folds, rounds = complete_size(count_classes(labels, strata))
    assert (folds, rounds) == (sum(max(min(count), 1) for count in counts), max(map(min, counts)))
    met = np.zeros((len(labels), len(labels)))
    for repeat in range(rounds):
        assigned = complete_folds(labels, strata, repeat)
        assert sorted(set(assigned)) == list(range(folds))
        met += assigned[:, None] == assigned
    pairs = (labels[:, None] == 1) & (labels == 0)
    same = strata[:, None] == strata
    assert (met[pairs & same] >= 1).all()
    assert (met[pairs & ~same] == 0).all()


def test_strata_with_a_single_subject_of_a_class_are_not_kept_apart():
    labels, strata = np.array([1, 0, 0, 0, 1, 1, 1, 0], dtype=np.int8), np.repeat([0, 1], 4)
    assert complete_size(count_classes(labels, strata)) == (4, 4)
    np.testing.assert_array_equal(complete_folds(labels, strata, 1), complete_folds(labels, np.zeros(8, dtype=int), 1))


@pytest.mark.parametrize("n_pairs", [2, 3, 6, 7, 12])
def test_every_two_pairs_are_held_out_together_once(n_pairs):
    pairs = np.tile(np.arange(n_pairs), 2) * 5
    folds = np.stack([complete_folds_of_pairs(pairs, repeat) for repeat in range(rounds_of_pairs(n_pairs))])
    np.testing.assert_array_equal(folds[:, :n_pairs], folds[:, n_pairs:])
    together = (folds[:, :n_pairs, None] == folds[:, None, :n_pairs]).sum(axis=0)
    assert (together[~np.eye(n_pairs, dtype=bool)] == 1).all()
    assert all(set(fold) == set(range((n_pairs + 1) // 2)) for fold in folds)


def test_random_folds_hold_whole_pairs_of_the_members():
    pairs = np.repeat(np.arange(9), 2)
    members = pairs != 4
    folds = folds_of_pairs(pairs, 3, np.random.default_rng(0), members)
    np.testing.assert_array_equal(folds == NO_FOLD, ~members)
    np.testing.assert_array_equal(folds[::2], folds[1::2])
    assert np.ptp(np.bincount(folds[members])) <= 2
    with pytest.raises(EndpointError, match="10 folds need at least 10 pairs, but there are 8"):
        folds_of_pairs(pairs, 10, np.random.default_rng(0), members)


def test_all_pairs_of_classes_share_folds_that_every_class_is_spread_over():
    classes = np.repeat([0, 1, 2], [5, 9, 4]).astype(np.int8)
    split, plan = FoldsOfClasses(classes), SearchPlan(4, 2, 0, 7)
    strata = np.arange(18) % 2
    of_pairs = [
        split.assign(
            np.where(classes == left_out, NEITHER, classes == first), strata, plan, 0, np.random.default_rng(3)
        )
        for first, left_out in ((0, 2), (0, 1), (1, 0))
    ]
    np.testing.assert_array_equal(of_pairs[0], of_pairs[1])
    np.testing.assert_array_equal(of_pairs[0], of_pairs[2])
    for code in range(3):
        counts = np.bincount(of_pairs[0][classes == code], minlength=4)
        assert counts.min() >= 1
        assert np.ptp(counts) <= 1
    assert np.ptp(np.bincount(of_pairs[0])) <= 1
    assert split.trains.all()
    assert split.decided.all()

from itertools import permutations

import numpy as np
import pytest

from responder_ml.contrasts.relabelling import compare_with_null, relabel_groups


def _rng():
    return np.random.default_rng(1)


def test_three_groups_are_enumerated_once_each_observed_first():
    codes = np.array([0, 0, 1, 2, 2, 3])
    relabelled = relabel_groups(codes, [[0, 1, 2]], limit=100, rng=_rng())
    expected = {(*order, 3) for order in permutations([0, 0, 1, 2, 2])}
    assert relabelled.exact
    assert relabelled.labellings == len(relabelled.codes) == len(expected) == 30
    assert {tuple(row) for row in relabelled.codes.tolist()} == expected
    np.testing.assert_array_equal(relabelled.codes[0], codes)


@pytest.mark.parametrize("codes", [[0, 1, 1, 0], [1, 0, 2, 1], [2, 1, 0, 0]])
def test_the_observed_groups_come_first_wherever_they_are_enumerated(codes):
    relabelled = relabel_groups(np.array(codes), [[0, 1, 2]], limit=100, rng=_rng()).codes
    assert relabelled[0].tolist() == codes
    assert len({tuple(row) for row in relabelled.tolist()}) == len(relabelled)


def test_all_relabellings_are_used_up_to_the_limit_and_not_beyond():
    codes = np.array([0, 0, 1, 1])
    assert relabel_groups(codes, [[0, 1]], limit=6, rng=_rng()).exact
    drawn = relabel_groups(codes, [[0, 1]], limit=5, rng=_rng())
    assert (drawn.exact, drawn.labellings, len(drawn.codes)) == (False, 6, 6)
    assert len(relabel_groups(codes, [[0, 1]], limit=1, rng=_rng()).codes) == 2


def test_founding_design_counts():
    codes = np.repeat(np.arange(7), [5, 4, 3, 3, 3, 3, 4])
    for exchange, count in (([[2, 3]], 20), ([[2, 6]], 35), ([[3, 4], [5, 6]], 700), ([[2, 3, 5]], 1680)):
        assert relabel_groups(codes, exchange, limit=5000, rng=_rng()).labellings == count


def test_blocks_are_exchanged_independently():
    relabelled = relabel_groups(np.array([0, 1, 2, 3]), [[0, 1], [2, 3]], limit=10, rng=_rng())
    assert {tuple(row) for row in relabelled.codes.tolist()} == {(0, 1, 2, 3), (1, 0, 2, 3), (0, 1, 3, 2), (1, 0, 3, 2)}


def test_strata_are_kept():
    codes, batch = np.array([0, 1, 0, 1, 1]), np.array([0, 0, 1, 1, 1])
    relabelled = relabel_groups(codes, [[0, 1]], limit=10, rng=_rng(), strata=batch)
    assert relabelled.labellings == 2 * 3
    assert set(relabelled.codes[:, :2].sum(axis=1).tolist()) == {1}


def test_random_draws_keep_group_sizes_and_the_others():
    codes = np.repeat([0, 1, 2], 8)
    relabelled = relabel_groups(codes, [[0, 1]], limit=50, rng=_rng())
    assert not relabelled.exact
    assert relabelled.codes.shape == (51, 24)
    assert relabelled.labellings == 12870
    np.testing.assert_array_equal(relabelled.codes[0], codes)
    np.testing.assert_array_equal(relabelled.codes[:, 16:], 2)
    np.testing.assert_array_equal((relabelled.codes == 0).sum(axis=1), 8)
    np.testing.assert_array_equal(relabelled.codes, relabel_groups(codes, [[0, 1]], limit=50, rng=_rng()).codes)


def test_stratum_with_one_group_offers_nothing():
    relabelled = relabel_groups(np.array([0, 0, 1, 1]), [[0, 1]], limit=10, rng=_rng(), strata=np.array([0, 0, 1, 1]))
    assert relabelled.labellings == 1


@pytest.mark.parametrize(("limit", "exchange"), [(0, [[0, 1]]), (10, [[0, 1], [1, 2]])])
def test_refusals(limit, exchange):
    with pytest.raises(ValueError, match="limit of 1"):
        relabel_groups(np.array([0, 1, 2]), exchange, limit=limit, rng=_rng())


def test_by_hand():
    test = compare_with_null(np.array([[3.0, 1.0], [1.0, 1.0], [3.0 - 1e-12, 1.0], [0.0, 1.0]]))
    assert test.p_value.tolist() == [0.5, 1.0]
    assert test.smallest_p.tolist() == [0.5, 1.0]
    assert test.expected == pytest.approx([1.75, 1.0])
    assert test.observed.tolist() == [3.0, 1.0]


@pytest.mark.parametrize(("observed", "near", "apart"), [(0.1, 9e-10, 1.1e-9), (-1e6, 9e-4, 1.1e-3)])
def test_values_that_differ_by_rounding_reach_the_observed_one(observed, near, apart):
    """Rounding is up to 1e-9, of the value itself where that exceeds 1."""
    test = compare_with_null(np.array([[observed], [observed - near], [observed - apart], [observed - 1.0]]))
    assert test.p_value.tolist() == test.smallest_p.tolist() == [0.5]


def test_nan_is_refused():
    with pytest.raises(ValueError, match="nan"):
        compare_with_null(np.array([[1.0], [np.nan]]))

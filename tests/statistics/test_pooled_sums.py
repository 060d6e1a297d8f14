import numpy as np

from responder_ml.statistics.pooled_sums import NEGATIVE, OUT, POSITIVE, sums_of_squares


def test_sets_of_two_runs_add_up_the_pools_of_their_own_run(rng):
    # Two pieces of 16 columns, of which the last five are not columns at all.
    pieces = rng.normal(size=(2, 23, 16)).astype(np.float32)
    values = pieces.transpose(1, 0, 2).reshape(23, 32)[:, :27].astype(float)
    order = rng.permutation(23)
    # The first run has pools of 9, 6 and 4 rows, the second of 12 and 11.
    rows = np.concatenate([order[:19], rng.permutation(23)])
    side = np.array([[POSITIVE, NEGATIVE, OUT], [NEGATIVE, OUT, POSITIVE], [POSITIVE, NEGATIVE, OUT]], np.int8)
    first_row, first_pool, first_set = np.array([0, 9, 15, 19, 31, 42]), np.array([0, 3, 5]), np.array([0, 2, 3])
    members = [(rows[0:9], rows[9:15]), (rows[15:19], rows[0:9]), (rows[19:31], rows[31:42])]
    above, below = (np.array([len(pair[index]) for pair in members], np.float32) for index in (0, 1))
    between, within = np.full((2, 3, 27), np.nan, np.float32)
    nothing = np.zeros((3, 3), np.float32), np.empty((0, 0, 0), np.float32)
    sums_of_squares(pieces, rows, first_row, first_pool, first_set, side, above, below, *nothing, between, within)
    for index, (positive, negative) in enumerate(members):
        over, under = values[positive], values[negative]
        inside = ((over - over.mean(axis=0)) ** 2).sum(axis=0) + ((under - under.mean(axis=0)) ** 2).sum(axis=0)
        both = np.concatenate([over, under])
        outside = ((both - both.mean(axis=0)) ** 2).sum(axis=0) - inside
        np.testing.assert_allclose(within[index], inside, rtol=1e-4)
        np.testing.assert_allclose(between[index], outside, rtol=1e-4, atol=1e-4)

import numpy as np
import pytest
from scipy.stats import rankdata

from responder_ml.contrasts.ranking import Ranking, stable_order


def test_ranks_and_order_by_hand():
    ranking = Ranking.of(np.array([0.5, -2.0, 3.0, 0.0]))
    assert ranking.order.tolist() == [2, 0, 3, 1]
    assert ranking.rank.tolist() == [1, 3, 0, 2]
    assert (int(ranking.up), int(ranking.down)) == (2, 1)


def test_ties_keep_their_order(rng):
    values = rng.integers(0, 4, size=(5, 200)).astype(float)
    order, tied = stable_order(values)
    assert tied
    np.testing.assert_array_equal(order, np.argsort(values, axis=-1, kind="stable"))


def test_extremes_stop_where_the_sign_does():
    ranking = Ranking.of(np.array([3.0, 2.0, -1.0, 0.0, 0.0, 0.0]))
    assert ranking.extremes(3).tolist() == [1, 1, -1, 0, 0, 0]
    assert ranking.extremes(1).tolist() == [1, 0, -1, 0, 0, 0]


@pytest.mark.parametrize("decimals", [0, 12])
def test_mean_ranks_equal_scipy(rng, decimals):
    values = rng.normal(size=(3, 50)).round(decimals)
    np.testing.assert_array_equal(Ranking.of(values).mean_ranks(values), rankdata(values, axis=1))


@pytest.mark.parametrize("size", [0, 4])
def test_size_outside_its_range_is_refused(size):
    with pytest.raises(ValueError, match="half of the 6 genes"):
        Ranking.of(np.arange(6.0)).extremes(size)

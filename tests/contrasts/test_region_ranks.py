from dataclasses import replace

import numpy as np
import pytest

from responder_ml.contrasts.evaluate_claims import evaluate_claims
from responder_ml.contrasts.region_ranks import rank_regions
from responder_ml.errors import ContrastError


@pytest.fixture
def line(noise, study):
    results = evaluate_claims(noise, study, "PFC", seed=1, relabellings=20, bootstrap=10)
    return next(result for result in results if result.statistic == "reversal_cosine")


def _region(line, name, observed, draws):
    return replace(line, region=name, observed=observed, expected_no_effect=0.5, draws=np.array(draws))


def test_ranks_by_excess_over_no_effect_by_hand(line):
    # Centred draws of the excess: PFC 0.3 + (-0.1, 0, 0.1), NAc 0.2 + (0.3, 0, -0.3).
    ranks = rank_regions([_region(line, "NAc", 0.7, [1.3, 1.0, 0.7]), _region(line, "PFC", 0.8, [0.4, 0.5, 0.6])])
    assert [rank.region for rank in ranks] == ["PFC", "NAc"]
    assert [rank.rank for rank in ranks] == [1, 2]
    assert ranks[0].excess == pytest.approx(0.3)
    assert ranks[0].first_share == pytest.approx(2 / 3)
    assert ranks[0].mean_rank == pytest.approx(4 / 3)
    assert ranks[0].interval[0] < 0.3 < ranks[0].interval[1]


def test_three_regions_far_apart_have_three_ranks(line):
    ranks = rank_regions(
        [_region(line, name, value, [0.1, 0.2]) for name, value in zip("ABC", (5.0, 9.0, 1.0), strict=True)]
    )
    assert [(rank.region, rank.rank, rank.mean_rank) for rank in ranks] == [("B", 1, 1.0), ("A", 2, 2.0), ("C", 3, 3.0)]


def test_an_expected_value_of_zero_is_no_missing_one(line):
    regions = [_region(line, "PFC", 0.9, [0.1, 0.2]), _region(line, "NAc", 0.7, [0.1, 0.2])]
    ranks = rank_regions([replace(region, expected_no_effect=0.0) for region in regions])
    assert [rank.excess for rank in ranks] == [0.9, 0.7]


def test_equal_regions_share_the_lead(line):
    ranks = rank_regions([_region(line, name, 0.7, [0.1, 0.2, 0.3]) for name in ("PFC", "NAc", "AMY")])
    assert [rank.first_share for rank in ranks] == pytest.approx([1 / 3] * 3)


def test_what_moves_all_regions_together_does_not_unsettle_their_order(line):
    shared = np.linspace(-5, 5, 50)
    ranks = rank_regions([_region(line, "PFC", 0.9, shared), _region(line, "NAc", 0.8, shared)])
    assert ranks[0].first_share == 1.0


def test_lines_of_one_region_are_not_ranked(line):
    assert rank_regions([line]) == []


def test_refusals(line):
    with pytest.raises(ContrastError, match="bootstrap > 0"):
        rank_regions([replace(line, draws=None), replace(line, region="NAc")])
    for draws in ([0.1, 0.2, 0.3], []):
        with pytest.raises(ContrastError, match="same number of bootstrap draws"):
            rank_regions([_region(line, "PFC", 0.9, draws), _region(line, "NAc", 0.9, draws[:2])])
    with pytest.raises(ContrastError, match="twice"):
        rank_regions([line, line])

import numpy as np
import pytest

from responder_ml.contrasts.connectivity import weighted_connectivity, xsum, zhang
from responder_ml.contrasts.ranking import Ranking

PROFILE = np.array([5.0, 3.0, 1.0, -1.0, -2.0, -4.0])
QUERY = np.array([1, 0, 0, 0, 1, -1], dtype=np.int8)


def test_xsum_by_hand():
    # Extremes of size 2: genes 0, 1 and 4, 5. Up genes there sum to 5 - 2, down genes to -4.
    assert xsum(QUERY, PROFILE, Ranking.of(PROFILE), 2) == pytest.approx(3 + 4)
    assert xsum(QUERY, PROFILE, Ranking.of(PROFILE), 1) == pytest.approx(5 + 4)


def _enrichment(members, profile):
    order = np.argsort(-profile, kind="stable")
    total, running, best = np.abs(profile[members]).sum(), 0.0, 0.0
    for gene in order:
        running += abs(profile[gene]) / total if gene in members else -1 / (profile.size - len(members))
        best = running if abs(running) > abs(best) else best
    return best


def test_weighted_connectivity_equals_the_running_sum(rng):
    for _ in range(20):
        profile = rng.normal(size=60)
        query = Ranking.of(0.3 * profile + rng.normal(size=60)).extremes(8)
        up, down = (_enrichment(np.flatnonzero(query == sign), profile) for sign in (1, -1))
        expected = 0.0 if up * down > 0 else (up - down) / 2
        assert weighted_connectivity(query, profile, Ranking.of(profile)) == pytest.approx(expected, abs=1e-12)


def test_weighted_connectivity_of_up_genes_alone_is_half_their_enrichment():
    # Genes 0 and 2 are up: 5/6 after gene 0, less a quarter at gene 1, 1/6 more at gene 2: the largest deviation is 5/6.
    query = np.array([1, 0, 1, 0, 0, 0], dtype=np.int8)
    assert weighted_connectivity(query, PROFILE, Ranking.of(PROFILE)) == pytest.approx(5 / 6 / 2)
    assert weighted_connectivity(-query, PROFILE, Ranking.of(PROFILE)) == pytest.approx(-5 / 6 / 2)
    assert weighted_connectivity(0 * query, PROFILE, Ranking.of(PROFILE)) == 0


def test_zhang_by_hand_and_at_its_ends():
    query = np.array([2.0, 0, 0, 0, 0, -1.0])
    # Profile ranks of size: 6, 4, 1.5... with ties by position: |1|, |-1| are 1 and 2. Query ranks: gene 0 two, gene 5 minus one.
    assert zhang(query, PROFILE) == pytest.approx((2 * 6 + 1 * 5) / (6 * 2 + 5 * 1))
    assert zhang(-query, PROFILE) == pytest.approx(-1.0)
    assert zhang(np.zeros(6), PROFILE) == 0


@pytest.mark.parametrize(
    "score",
    [
        lambda query, profile: xsum(query, profile, Ranking.of(profile), 20),
        lambda query, profile: weighted_connectivity(query, profile, Ranking.of(profile)),
        lambda query, profile: zhang(query.astype(float), profile),
    ],
)
def test_opposite_profile_has_opposite_score_and_labellings_are_rows(rng, score):
    profile = rng.normal(size=(5, 100))
    query = Ranking.of(rng.normal(size=(5, 100))).extremes(10)
    scores = score(query, profile)
    np.testing.assert_allclose(score(query, -profile), -scores, atol=1e-12)
    np.testing.assert_allclose(scores, [score(q, p) for q, p in zip(query, profile, strict=True)], atol=1e-12)


@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_weighted_connectivity_and_zhang_do_not_depend_on_the_units_of_the_profile(rng, unit):
    profile = rng.normal(size=(5, 100))
    query = Ranking.of(rng.normal(size=(5, 100))).extremes(10)
    ranking = Ranking.of(profile)
    one, other = (weighted_connectivity(query, scale * profile, ranking) for scale in (1.0, unit))
    np.testing.assert_allclose(other, one, rtol=1e-12)
    np.testing.assert_array_equal(zhang(query * unit, unit * profile), zhang(query * 1.0, profile))

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import mannwhitneyu, norm

from responder_ml.errors import EndpointError
from responder_ml.evaluation import power as module
from responder_ml.evaluation.power import attainable_p, auroc_needed, null_auroc_sd, power, subjects_needed

# shared/domain.md, table 3.1: class sizes, null sd and AUROC needed as printed, power at a true AUROC of 0.7, 0.8, 0.9.
TABLE = [
    (3, 3, "0.255", "1.00", (0.18, 0.33, 0.56)),
    (3, 4, "0.236", "1.00", (0.13, 0.25, 0.49)),
    (6, 7, "0.167", "0.81", (0.28, 0.55, 0.87)),
    (10, 10, "0.13", "0.73", (0.44, 0.78, 0.98)),
    (12, 16, "0.112", "0.69", (0.58, 0.91, 1.0)),
    (24, 28, "0.081", "0.64", (0.81, 0.99, 1.0)),
]


def _pairs_won(n_positive, n_negative):
    """Every ranking, one by one."""
    ranks = range(1, n_positive + n_negative + 1)
    smallest = n_positive * (n_positive + 1) // 2
    return np.array([sum(chosen) - smallest for chosen in combinations(ranks, n_positive)])


@pytest.mark.parametrize(("n_positive", "n_negative", "sd", "needed", "at"), TABLE)
def test_table_of_the_domain_notes(n_positive, n_negative, sd, needed, at):
    digits = len(sd) - 2
    assert f"{null_auroc_sd(n_positive, n_negative):.{digits}f}" == sd
    assert f"{auroc_needed(n_positive, n_negative, 0.05):.2f}" == needed
    powers = [power(n_positive, n_negative, auroc, 0.05) for auroc in (0.7, 0.8, 0.9)]
    np.testing.assert_allclose(powers, at, atol=0.02)


@pytest.mark.parametrize(
    ("sizes", "strata", "labellings", "p_value"),
    [
        ((3, 3), None, 20, "0.100"),
        ((3, 4), None, 35, "0.029"),
        ((6, 7), None, 1716, "0.0006"),
        ((6, 7), [(3, 3), (3, 4)], 700, "0.0014"),
        ((10, 10), None, 184756, "0.0000"),
        ((3, 4), [(3, 0), (0, 4)], 1, "1.0"),
    ],
)
def test_attainable_p(sizes, strata, labellings, p_value):
    smallest_p = attainable_p(*sizes, strata)
    assert smallest_p.labellings == labellings
    assert f"{smallest_p.p_value:.{len(p_value) - 2}f}" == p_value


@pytest.mark.parametrize("strata", [[(3, 3)], [(7, 7), (-1, 0)], []])
def test_strata_that_do_not_add_up_are_refused(strata):
    with pytest.raises(EndpointError, match="add up"):
        attainable_p(6, 7, strata)


def test_nobody_to_label_is_refused():
    with pytest.raises(EndpointError, match="not all 0"):
        attainable_p(0, 0)


@pytest.mark.parametrize(("n_positive", "n_negative"), [(1, 1), (3, 3), (2, 5), (5, 4), (6, 7)])
def test_null_against_every_ranking(n_positive, n_negative):
    won = _pairs_won(n_positive, n_negative)
    np.testing.assert_allclose(
        module._null_distribution(n_positive, n_negative),
        np.bincount(won, minlength=n_positive * n_negative + 1) / won.size,
        rtol=1e-12,
    )
    assert null_auroc_sd(n_positive, n_negative) == pytest.approx(np.std(won / (n_positive * n_negative)))


@pytest.mark.parametrize(("n_positive", "n_negative"), [(3, 3), (2, 5), (6, 7)])
@pytest.mark.parametrize("tail", [1, 2, 4, 5])
def test_a_tail_equal_to_alpha_is_enough(n_positive, n_negative, tail):
    won = _pairs_won(n_positive, n_negative)
    alpha = tail / comb(n_positive + n_negative, n_positive)
    naive = min(value for value in won if np.mean(won >= value) <= alpha * (1 + 1e-9))
    assert auroc_needed(n_positive, n_negative, alpha) == naive / (n_positive * n_negative)


def test_auroc_needed_against_scipy():
    needed = round(auroc_needed(9, 12, 0.05) * 108)

    def p_value(pairs):
        """Exact p of nine positives that win so many pairs: each in turn is raised over negatives until they have."""
        wins = np.full(9, pairs // 9)
        wins[: pairs % 9] += 1
        positives = wins - 0.5 + np.arange(9) * 1e-3
        return mannwhitneyu(positives, np.arange(12), alternative="greater", method="exact").pvalue

    assert p_value(needed) <= 0.05 < p_value(needed - 1)


def test_auroc_that_cannot_be_reached():
    assert auroc_needed(2, 2, 0.05) is None
    assert power(2, 2, 0.999, 0.05) == 0.0
    assert auroc_needed(2, 2, 1 / 6) == 1.0


@pytest.mark.parametrize(("n_positive", "n_negative"), [(3, 3), (3, 4)])
@pytest.mark.parametrize("auroc", [0.5, 0.7, 0.9])
def test_power_where_only_perfect_order_counts_is_an_integral(n_positive, n_negative, auroc):
    shift = np.sqrt(2) * norm.ppf(auroc)

    def density(top_negative):
        below = n_negative * norm.pdf(top_negative) * norm.cdf(top_negative) ** (n_negative - 1)
        return below * norm.sf(top_negative - shift) ** n_positive

    exact = quad(density, -10, 10)[0]
    assert power(n_positive, n_negative, auroc, 0.05) == pytest.approx(exact, abs=0.01)


def test_without_an_effect_power_is_the_attained_level():
    attained = np.mean(_pairs_won(6, 7) >= 34)
    assert attained == pytest.approx(0.0367, abs=1e-4)
    assert power(6, 7, 0.5, 0.05) == pytest.approx(attained, abs=0.004)


def test_power_is_fixed_by_its_seed_and_rises_with_the_effect():
    assert power(6, 7, 0.8, 0.05) == power(6, 7, 0.8, 0.05)
    assert power(6, 7, 0.8, 0.05) != power(6, 7, 0.8, 0.05, seed=1)
    assert np.all(np.diff([power(6, 7, auroc, 0.05) for auroc in np.linspace(0.3, 0.99, 20)]) >= 0)


@pytest.mark.parametrize(("n_positive", "n_negative"), [(30, 30), (12, 60)])
@pytest.mark.parametrize("auroc", [0.6, 0.7])
def test_normal_approximation_continues_the_simulation(monkeypatch, n_positive, n_negative, auroc):
    simulated = power(n_positive, n_negative, auroc, 0.05)
    needed = auroc_needed(n_positive, n_negative, 0.05)
    monkeypatch.setattr(module, "_MOST_EXACT_PAIRS", 0)
    assert power(n_positive, n_negative, auroc, 0.05) == pytest.approx(simulated, abs=0.012)
    assert auroc_needed(n_positive, n_negative, 0.05) == pytest.approx(needed, abs=0.003)


def test_normal_approximation_needs_as_many_pairs_on_average(monkeypatch):
    alphas = np.linspace(0.01, 0.2, 40)
    exact = [auroc_needed(20, 25, alpha) * 500 for alpha in alphas]
    monkeypatch.setattr(module, "_MOST_EXACT_PAIRS", 0)
    approximate = [auroc_needed(20, 25, alpha) * 500 for alpha in alphas]
    assert np.abs(np.subtract(approximate, exact)).max() < 1.5
    assert abs(np.mean(np.subtract(approximate, exact))) < 0.25


def test_variance_of_the_approximation_is_that_of_the_null_where_nothing_differs(monkeypatch):
    monkeypatch.setattr(module, "_MOST_EXACT_PAIRS", 0)
    needed = auroc_needed(4, 5, 0.1) * 20
    expected = norm.sf((needed - 0.5 - 10) / (20 * null_auroc_sd(4, 5)))
    assert power(4, 5, 0.5, 0.1) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("auroc", [0.75, 0.85, 0.99])
def test_subjects_needed_is_the_first_size_that_has_the_power(auroc, ratio):
    needed = subjects_needed(auroc, 0.8, 0.05, ratio)
    naive = next(
        (size, int(np.ceil(size * ratio)))
        for size in range(1, 100)
        if power(size, int(np.ceil(size * ratio)), auroc, 0.05) >= 0.8
    )
    assert needed == naive


def test_many_subjects_for_a_small_effect_agree_with_noethers_formula():
    n_positive, n_negative = subjects_needed(0.55, 0.8, 0.05)
    noether = (norm.isf(0.05) + norm.isf(0.2)) ** 2 / (12 * 0.25 * 0.05**2)
    assert n_positive + n_negative == pytest.approx(noether, rel=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: null_auroc_sd(0, 3), "each class needs at least 1"),
        (lambda: auroc_needed(3, 3, 0.0), "alpha is 0"),
        (lambda: power(3, 0, 0.8, 0.05), "each class needs at least 1"),
        (lambda: power(3, 3, 1.0, 0.05), "true AUROC is 1"),
        (lambda: subjects_needed(0.5, 0.8, 0.05), "above 0.5 and below 1"),
        (lambda: subjects_needed(0.7, 1.0, 0.05), "target power is 1"),
        (lambda: subjects_needed(0.7, 0.8, 0.05, ratio=0.0), "ratio"),
        (lambda: subjects_needed(0.5001, 0.8, 0.05), "More than 100,000"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_the_reason(call, message):
    with pytest.raises(EndpointError, match=message):
        call()

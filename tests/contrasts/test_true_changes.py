"""Products of true changes: unbiased whatever is shared, with a variance that is that of repeated experiments."""

import numpy as np
import pytest

from responder_ml.contrasts.groups import Groups
from responder_ml.contrasts.true_changes import (
    AnimalDesign,
    FormEstimates,
    TrueChanges,
    contrast,
    group_products,
    merged_gram,
    product,
)

SIZES = {"control": 5, "drug": 3, "other": 4, "susceptible": 3}
GROUPS = Groups.of([name for name, size in SIZES.items() for _ in range(size)])
CHANGES = [contrast(GROUPS.names, name, "susceptible") for name in ("drug", "other")]


def _draw(rng, means=None, noise=None, genes=200, factors=6):
    loading = rng.normal(size=(factors, genes)) / np.sqrt(factors)
    values = 0.8 * rng.normal(size=(15, genes)) + 0.6 * rng.normal(size=(15, factors)) @ loading
    scale = np.ones(4) if noise is None else np.asarray(noise)
    values *= scale[GROUPS.codes][:, None]
    return values if means is None else values + means[GROUPS.codes]


def test_forms_over_animals_never_multiply_an_animal_with_itself():
    animal = AnimalDesign(GROUPS).animal_form(product(*CHANGES))
    np.testing.assert_allclose(np.diag(animal), 0.0, atol=1e-12)
    # The same for the mean over pairs of different animals.
    members = AnimalDesign(GROUPS).members
    gram = np.random.default_rng(0).normal(size=(15, 15))
    gram = gram @ gram.T
    products = group_products(gram, GROUPS.codes[None], 4)[0]
    assert np.sum(animal * gram) == pytest.approx(np.sum(product(*CHANGES) * products))
    own = gram[np.ix_(members[:, 1] == 1, members[:, 1] == 1)]
    assert products[1, 1] == pytest.approx((own.sum() - np.trace(own)) / 6)


@pytest.mark.parametrize("noise", [None, (1.0, 1.0, 2.0, 1.0), (1.0, 0.7, 1.0, 2.0)])
@pytest.mark.parametrize("covariate", [False, True])
def test_products_are_zero_on_average_where_true_ones_are_although_groups_share_animals(rng, noise, covariate):
    """Simulated: large effects in unrelated directions, unequal noise, one reference group."""
    means = np.zeros((4, 200))
    means[1, :40], means[2, 40:80] = 1.5, -1.5
    batch = (np.arange(15) % 2).astype(float)[:, None] if covariate else None
    forms = [product(*CHANGES), product(contrast(GROUPS.names, "susceptible", "control"), CHANGES[0])]
    design = AnimalDesign(GROUPS, batch)
    estimates = [
        TrueChanges(_draw(rng, means, noise) + (0 if batch is None else 3 * batch), design).estimate(forms)
        for _ in range(100)
    ]
    values = np.array([estimate.value for estimate in estimates])
    z = values.mean(axis=0) / (values.std(axis=0) / np.sqrt(len(values)))
    assert np.all(np.abs(z) < 3.5)
    # The variance is that of repetition or somewhat more, and the t test keeps its level.
    claimed = np.mean([np.diag(estimate.covariance) for estimate in estimates], axis=0)
    assert np.all((claimed / values.var(axis=0) > 0.6) & (claimed / values.var(axis=0) < 2.5))
    assert np.mean([estimate.p_above_zero <= 0.05 for estimate in estimates]) < 0.12


def test_the_plain_product_is_not_zero(rng):
    form = product(contrast(GROUPS.names, "control", "susceptible"), CHANGES[0])
    changes = TrueChanges(_draw(rng, genes=2000), AnimalDesign(GROUPS))
    assert changes.with_shared_animals(form) == pytest.approx(1 / 3, abs=0.2)
    assert abs(changes.value(form)) < 0.25


def test_sizes_of_changes_are_not_overestimated_by_noisy_groups(rng):
    """A scale that contained the group would make the squared change of unchanged, noisy animals positive."""
    form = product(CHANGES[1], CHANGES[1])
    values = [TrueChanges(_draw(rng, noise=(1, 1, 2, 1)), AnimalDesign(GROUPS)).value(form) for _ in range(100)]
    assert abs(np.mean(values)) < 3.5 * np.std(values) / np.sqrt(len(values))


def test_two_animals_a_group_constants_and_an_outlier_leave_everything_finite(rng):
    groups = Groups.of(sorted([*SIZES, *SIZES]))
    expression = rng.normal(size=(8, 12))
    expression[0] *= 50
    expression[:, 1] = expression[:, 0]
    estimate = TrueChanges(expression, AnimalDesign(groups)).estimate(
        [product(*CHANGES), product(CHANGES[0], CHANGES[0])]
    )
    assert np.isfinite(estimate.covariance).all()
    assert np.isfinite(estimate.p_above_zero).all()


def test_a_share_of_nothing_has_no_interval():
    known = FormEstimates(np.array([1.0, 2.0]), np.diag([0.01, 0.01]), 20)
    value, (low, high) = known.share()
    assert low < value == 0.5 < high
    assert FormEstimates(np.array([1.0, 0.1]), np.diag([0.01, 0.01]), 20).share()[1] is None
    assert FormEstimates(np.array([1.0, -2.0]), np.diag([0.01, 0.01]), 20).share()[1] is None


def test_intervals_of_a_share_cover(rng):
    covered = []
    for _ in range(400):
        value = np.array([0.5, 1.0]) + rng.normal(0, 0.2, 2)
        interval = FormEstimates(value, np.diag([0.04, 0.04]), 200).share()[1]
        covered.append(interval is None or interval[0] <= 0.5 <= interval[1])
    assert np.mean(covered) >= 0.92


def test_scales_of_a_merged_design_do_not_know_the_labels(rng):
    expression = _draw(rng)
    design = (np.array([0] * 5 + [1] * 7 + [2] * 3)[:, None] == np.arange(3)).astype(float)
    gram = merged_gram(expression, design)
    order = np.array([0, 1, 2, 3, 4, 11, 10, 9, 8, 7, 6, 5, 12, 13, 14])
    np.testing.assert_allclose(merged_gram(expression[order], design), gram[np.ix_(order, order)])


def test_influences_make_up_the_variance_of_a_linear_form(rng):
    means = np.zeros((4, 200))
    means[1], means[2] = 4.0 * rng.normal(size=(2, 200))
    changes = TrueChanges(_draw(rng, means), AnimalDesign(GROUPS))
    form = product(*CHANGES)
    spread = np.sqrt(np.sum(changes.influence(form) ** 2) / changes.estimate([form]).covariance[0, 0])
    assert 0.5 < spread < 1.6


def test_a_factor_in_one_group_alone_makes_no_opposition(rng):
    """Three susceptible animals that vary along one direction: their products vary more than those of the other groups."""
    form = -product(*CHANGES)
    hits = []
    for _ in range(60):
        expression = _draw(rng, genes=300)
        expression[12:] += 2 * rng.normal(size=(3, 1)) @ rng.normal(size=(1, 300))
        hits.append(TrueChanges(expression, AnimalDesign(GROUPS)).estimate([form]).p_above_zero[0] <= 0.05)
    assert np.mean(hits) <= 0.12


def test_heavy_tails_do_not_make_squared_changes_negative(rng):
    form = product(CHANGES[0], CHANGES[0])
    values = [TrueChanges(rng.standard_t(6, size=(15, 400)), AnimalDesign(GROUPS)).value(form) for _ in range(60)]
    assert abs(np.mean(values)) < 0.5 * np.std(values)

import numpy as np
import pytest

from responder_ml.contrasts.claim_statistic import expected_correlation, resilient_genes, rrho2_step, susceptible_genes
from responder_ml.contrasts.comparisons import Comparisons, Cutoffs
from responder_ml.contrasts.group_fits import fit_groups
from responder_ml.contrasts.groups import Groups

SIZES = {"control": 5, "susceptible": 3, "resilient": 4, "drug": 3}
STRESS = ("susceptible", "control")


@pytest.mark.parametrize(
    ("second", "value"),
    [
        (("drug", "susceptible"), -0.559),
        (("resilient", "control"), 0.408),
        (("drug", "control"), 0.375),
        (("drug", "resilient"), 0.0),
    ],
)
def test_values_of_the_founding_design(second, value):
    assert expected_correlation(STRESS, second, SIZES) == pytest.approx(value, abs=5e-4)


def test_equals_simulation(rng):
    means = {name: rng.normal(0, 1 / np.sqrt(size), 200_000) for name, size in SIZES.items()}
    stress, drug = means["susceptible"] - means["control"], means["drug"] - means["susceptible"]
    expected = expected_correlation(STRESS, ("drug", "susceptible"), SIZES)
    assert np.corrcoef(stress, drug)[0, 1] == pytest.approx(expected, abs=0.01)


def _compare(expression, labels):
    groups = Groups.of(labels)
    return Comparisons(
        fit_groups(expression, groups.codes[None], len(groups.names)), groups.names, Cutoffs(rrho2_lists=4)
    )


def test_signatures_hold_what_one_state_changes_and_the_other_does_not(rng):
    """Genes 0-9 are changed in susceptible animals, 5-14 in resilient ones."""
    labels = ["control"] * 4 + ["resilient"] * 4 + ["susceptible"] * 4
    expression = rng.normal(0, 0.1, size=(12, 60))
    expression[8:, :10] += 5.0
    expression[4:8, 5:15] -= 5.0
    all_three = _compare(expression, labels)
    assert susceptible_genes(all_three)[0, :15].tolist() == [1] * 5 + [0] * 10
    assert resilient_genes(all_three)[0, :15].tolist() == [0] * 10 + [-1] * 5
    without = _compare(np.delete(expression, slice(4, 8), axis=0), labels[:4] + labels[8:])
    assert susceptible_genes(without)[0, :15].tolist() == [1] * 10 + [0] * 5


@pytest.mark.parametrize(("n_genes", "step"), [(8, 2), (9, 3), (3, 1)])
def test_the_step_gives_the_number_of_lists(rng, n_genes, step):
    comparisons = _compare(rng.normal(size=(6, n_genes)), ["a"] * 3 + ["b"] * 3)
    assert rrho2_step(comparisons) == step

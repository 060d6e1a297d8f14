"""What claims need of the groups' true means, on means that are known exactly."""

import numpy as np
import pytest

from responder_ml.contrasts.claim_tests import STATEMENTS, build_tests
from responder_ml.contrasts.founding_claims import CLAIMS
from responder_ml.contrasts.groups import Groups
from responder_ml.contrasts.true_changes import AnimalDesign, TrueChanges

SHORT = {
    "C": "control", "S": "susceptible", "Z": "resilient", "I": "imipramine responder", "i": "imipramine non_responder",
    "K": "ketamine responder", "k": "ketamine non_responder",
}  # fmt: skip
STRESS, OWN, X1, X2, X3, X4 = np.eye(6)
BASE = {"C": 0 * STRESS, "S": STRESS, "Z": 0.3 * STRESS + OWN, "I": STRESS, "i": STRESS, "K": STRESS, "k": STRESS}
BACK = {"I": 0.2 * STRESS, "K": 0.2 * STRESS}
MORE = {"i": 1.8 * STRESS, "k": 1.8 * STRESS}
# Changes of the means, and the claims that are true then.
TRUTHS = {
    "stress only": ({}, {"R2"}),
    "drugs alone": ({"I": STRESS + X1, "i": STRESS + X1, "K": STRESS + X2, "k": STRESS + X2}, {"R2", "R7"}),
    "responders unrelated": ({"I": STRESS + X1, "K": STRESS + X2}, {"R2", "R6a", "R7"}),
    "non-responders unrelated": ({"i": STRESS + X1, "k": STRESS + X2}, {"R2", "R6b"}),
    "non-responders stressed more": (MORE, {"R2", "R6b"}),
    "both unrelated": ({"I": STRESS + X1, "i": STRESS + X3, "K": STRESS + X2, "k": STRESS + X4}, {"R2", "R6b", "R7"}),
    "one drug reverses": ({"I": 0.2 * STRESS}, {"R2", "R6a"}),
    "reversal": (BACK, {"R2", "R3", "R4", "R6a"}),
    "half of it in non-responders": (BACK | {"i": 0.5 * STRESS, "k": 0.5 * STRESS}, {"R2", "R3", "R4"}),
    "induction": (
        {"I": 0.2 * STRESS + 0.7 * OWN, "K": 0.2 * STRESS + 0.7 * OWN}, {"R2", "R3", "R4", "R5", "R6a"},
    ),
    "induction in all": (dict.fromkeys("IiKk", STRESS + 0.7 * OWN), {"R2", "R3"}),
    "opposition": (BACK | MORE, {"R2", "R3", "R4", "R6b", "R6c"}),
    "like changes, larger in one drug": ({"I": STRESS + X1, "K": STRESS + 3 * X1}, {"R2", "R3", "R6a"}),
}  # fmt: skip


def _tests(changes):
    """Claims with two exact animals a group around the means, so that estimates are the true values."""
    means = {SHORT[name]: value for name, value in (BASE | changes).items()}
    groups = Groups.of([name for name in means for _ in range(2)])
    exact = np.stack([means[groups.names[code]] for code in groups.codes])
    wiggle = np.zeros((14, 20))
    wiggle[:, 6:] = np.random.default_rng(0).normal(size=(14, 14)) * 1e-3
    expression = np.column_stack([exact, np.zeros((14, 14))]) + wiggle
    made = TrueChanges(expression, AnimalDesign(groups))
    return build_tests(made), np.stack([means[name] for name in groups.names])


@pytest.mark.parametrize("truth", TRUTHS)
def test_every_part_is_above_zero_exactly_where_the_claim_is_true(truth):
    changes, true_claims = TRUTHS[truth]
    tests, means = _tests(changes)
    gram = means @ means.T
    together = {test.claim: test for test in tests if len(test.drugs) != 1}
    shown = {claim for claim, test in together.items() if min(np.sum(part.form * gram) for part in test.parts) > 0.02}
    assert shown == true_claims


def test_every_claim_on_expression_is_tested_for_each_drug_and_for_both():
    tests, _ = _tests({})
    assert {test.claim for test in tests} == set(CLAIMS) - {"R1", "R8"} == set(STATEMENTS)
    assert [test.drugs for test in tests if test.claim == "R6c"] == [
        ("imipramine",),
        ("ketamine",),
        ("imipramine", "ketamine"),
    ]
    assert [test.drugs for test in tests if test.claim == "R7"] == [("imipramine", "ketamine")]


def test_no_part_of_reversal_by_responders_less_non_responders_shares_an_animal():
    tests, _ = _tests({})
    reversal = next(test for test in tests if test.claim == "R4" and len(test.drugs) == 2)
    np.testing.assert_allclose(np.diag(reversal.parts[-1].form), 0.0, atol=1e-12)
    # The responders' own arm shares the susceptible animals.
    assert np.diag(reversal.parts[0].form).any()


def test_without_non_responders_only_the_responders_arm_is_tested():
    groups = Groups.of([name for name in ("control", "susceptible", "ketamine responder") for _ in range(3)])
    tests = build_tests(TrueChanges(np.random.default_rng(1).normal(size=(9, 30)), AnimalDesign(groups)))
    assert [(test.claim, test.arm, len(test.parts)) for test in tests] == [
        ("R2", "susceptible - control", 1),
        ("R4", "responder", 1),
    ]

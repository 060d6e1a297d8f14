import numpy as np
import pytest

from responder_ml.contrasts.claim_power import STRONG, WEAK, Signal, full_truth, needed_size, power_of, signal_of
from responder_ml.contrasts.claim_tests import build_tests
from responder_ml.contrasts.true_changes import AnimalDesign, TrueChanges


@pytest.fixture
def tests(study):
    changes = TrueChanges(np.random.default_rng(0).normal(size=(25, 60)), AnimalDesign(study))
    return {test.claim: test for test in build_tests(changes) if len(test.drugs) != 1}


@pytest.fixture
def sizes(study):
    return {name: study.size(name) for name in study.names}


def test_every_claim_holds_where_it_holds_in_full(tests, sizes):
    for claim, test in tests.items():
        truth = full_truth(claim, tuple(sizes), STRONG)
        if claim != "R5":
            assert min(np.sum(part.form * truth) for part in test.parts) > 0


def test_power_grows_with_animals_and_with_the_effect(tests, sizes):
    larger = {name: 3 * count for name, count in sizes.items()}
    for test in tests.values():
        few, many = power_of(test, sizes, WEAK, 0.05), power_of(test, larger, WEAK, 0.05)
        assert 0 <= few <= many <= 1
        assert power_of(test, sizes, STRONG, 0.05) >= few
    assert power_of(tests["R6c"], sizes, WEAK, 0.05) < power_of(tests["R6c"], larger, WEAK, 0.05) - 0.1


def test_without_any_change_power_is_at_most_the_level(tests, sizes):
    nothing = Signal(0.0, 0.0014)
    assert power_of(tests["R2"], sizes, nothing, 0.05) == pytest.approx(0.05, abs=0.02)
    assert power_of(tests["R4"], sizes, nothing, 0.05) < 0.02


def test_the_needed_size_is_the_smallest_that_gives_the_power(tests, sizes):
    needed = needed_size(tests["R6c"], sizes, WEAK, 0.05)
    scaled = {name: max(2, round(count * needed / 3)) for name, count in sizes.items()}
    assert power_of(tests["R6c"], scaled, WEAK, 0.05) >= 0.8
    assert needed_size(tests["R6c"], sizes, Signal(0.0, 0.0014), 0.05) is None


def test_a_stress_change_within_its_error_is_no_measure_of_what_a_claim_in_full_means():
    assert signal_of(0.2, 0.1, 0.05) == Signal(0.2, 0.05)
    assert signal_of(0.05, 0.1, 0.05) == Signal(STRONG.stress, 0.05)

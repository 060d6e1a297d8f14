"""The claims on cohorts whose truth is known (simulated), and what a line says."""

import numpy as np
import pytest

from responder_ml.contrasts.claim_statistic import expected_correlation
from responder_ml.contrasts.evaluate_tests import TestSettings, evaluate_tests
from responder_ml.contrasts.groups import Groups
from responder_ml.errors import ContrastError

STRESS, OTHER, THIRD = (np.roll(np.tile([1.5, -1.5], 20).tolist() + [0.0] * 360, 40 * shift) for shift in range(3))


def _evaluate(expression, groups, covariates=None, **settings):
    names = [str(index) for index in range(groups.codes.size)]
    return evaluate_tests(expression, groups, "PFC", names, TestSettings(**({"seed": 1} | settings)), covariates)


def _plant(noise, study, **changes):
    means = {"control": 0.0, "resilient": 0.3 * STRESS + THIRD} | changes
    return noise + np.stack(
        [means.get(study.names[code].replace(" ", "_"), STRESS) * np.ones(400) for code in study.codes]
    )


def _headline(results, claim):
    return max((line for line in results if line.claim == claim), key=lambda line: line.drug.count("+"))


def test_opposition_is_found_and_unrelated_changes_are_not(noise, study):
    back = dict.fromkeys(("imipramine_responder", "ketamine_responder"), 0.2 * STRESS)
    on = dict.fromkeys(("imipramine_non_responder", "ketamine_non_responder"), 1.8 * STRESS)
    line = _headline(_evaluate(_plant(noise, study, **back, **on), study), "R6c")
    assert line.p_value <= 0.05
    assert line.interval[1] < 0 > line.observed
    # The shared susceptible animals make them look less opposed than they are.
    assert line.with_shared_animals > line.observed
    aside = dict.fromkeys(on, STRESS + 3 * OTHER)
    line = _headline(_evaluate(_plant(noise, study, **back, **aside), study), "R6c")
    assert line.p_value > 0.2
    assert abs(line.observed) < 0.35 < line.with_shared_animals + 0.35


def test_reversal_needs_responders_to_move_and_non_responders_not_as_far(noise, study):
    back = dict.fromkeys(("imipramine_responder", "ketamine_responder"), 0.2 * STRESS)
    line = _headline(_evaluate(_plant(noise, study, **back), study), "R4")
    assert line.p_value <= 0.05
    assert line.interval[0] < 0.8 < line.interval[1]
    on = dict.fromkeys(("imipramine_non_responder", "ketamine_non_responder"), 2 * STRESS)
    line = _headline(_evaluate(_plant(noise, study, **on), study), "R4")
    assert line.p_value == max(part.p_value for part in line.parts) > 0.05
    assert line.parts[-1].p_value <= 0.05
    line = _headline(_evaluate(_plant(noise, study, imipramine_responder=0 * STRESS), study), "R4")
    assert line.p_value > 0.05


def test_lines_say_what_is_tested_on_how_many(noise, study):
    results = _evaluate(noise, study)
    line = _headline(results, "R4")
    assert (line.null, line.exact, line.labellings) == ("t+relabelling", True, 700)
    assert line.parts[-1].p_relabelled is not None
    assert line.n["control"] == 5
    assert "resilient" not in line.n
    assert line.alternative
    assert 0 <= line.power <= 1
    undetermined = [line for line in results if line.interval is None]
    assert all("not determined" in line.note for line in undetermined)
    assert undetermined


def test_order_of_animals_and_genes_changes_nothing(noise, study, rng):
    animals, genes = rng.permutation(25), rng.permutation(400)
    one, other = (
        _evaluate(values, groups, relabellings=700)
        for values, groups in (
            (noise, study),
            (noise[animals][:, genes], Groups(study.names, study.codes[animals])),
        )
    )
    for before, after in zip(one, other, strict=True):
        assert after.observed == pytest.approx(before.observed, abs=1e-8)
        if before.exact:
            assert after.p_value == pytest.approx(before.p_value, abs=1e-8)


def test_the_values_of_an_animal_are_drawn_alike_in_all_its_regions(noise, study):
    first, second = (_headline(_evaluate(noise, study, draws=30, seed=seed), "R4").draws for seed in (1, 1))
    np.testing.assert_array_equal(first, second)
    assert _headline(_evaluate(noise, study), "R4").draws is None


def test_batch_in_the_model_takes_its_shift_out(noise, study, rng):
    batch = rng.permuted(np.arange(25) % 2).astype(float)[:, None]
    shifted = noise + 4 * batch * rng.normal(size=400)
    plain, adjusted = (_evaluate(values, study, batch, relabellings=99) for values in (noise, shifted))
    for one, other in zip(plain, adjusted, strict=True):
        assert other.observed == pytest.approx(one.observed, rel=1e-4, abs=1e-5)
    assert _headline(adjusted, "R4").null == "t+rotation"
    strata = batch[:, 0].astype(int)
    assert _headline(_evaluate(shifted, study, batch, strata=strata), "R4").null == "t+relabelling"


@pytest.mark.parametrize("genes", [10, 400])
def test_two_animals_a_group_and_few_genes_are_defined(noise, study, genes):
    two = np.concatenate([np.flatnonzero(study.codes == code)[:2] for code in range(len(study.names))])
    results = _evaluate(noise[two][:, :genes], Groups(study.names, study.codes[two]), draws=5)
    assert all(np.isfinite([line.observed, line.p_value, *line.draws]).all() for line in results)


def test_one_factor_that_moves_all_genes_is_no_evidence(study, rng):
    """Simulated noise of one direction: no effect, and the animals of one group noisier."""
    levels = []
    for _ in range(40):
        factor = (
            rng.normal(size=(25, 1)) * np.where(study.codes == study.code("ketamine non_responder"), 2.0, 1.0)[:, None]
        )
        results = _evaluate(factor @ rng.normal(size=(1, 60)) + 0.3 * rng.normal(size=(25, 60)), study, relabellings=99)
        levels.append(
            [_headline(results, claim).p_value <= 0.05 for claim in ("R3", "R4", "R5", "R6a", "R6b", "R6c", "R7")]
        )
    assert np.mean(levels, axis=0).max() <= 0.15


def test_missing_groups_are_named():
    with pytest.raises(ContrastError, match="two control and two susceptible"):
        _evaluate(np.random.default_rng(0).normal(size=(4, 20)), Groups.of(["control"] * 3 + ["susceptible"]))


@pytest.mark.parametrize(("controls", "expected"), [(5, 0.41), (4, 0.46)])
def test_two_contrasts_that_share_a_control_correlate_as_published_from_group_sizes_alone(controls, expected):
    """GSE81672, PFC: both stressed groups against control correlate at 0.456; sharing alone gives 0.41 to 0.46 (domain.md 1.7)."""
    sizes = {"control": controls, "resilient": 4, "susceptible": 3}
    value = expected_correlation(("resilient", "control"), ("susceptible", "control"), sizes)
    assert value == pytest.approx(expected, abs=0.005)


def test_a_shared_control_correlates_contrasts_and_is_taken_out(rng):
    names = [
        name
        for name, size in (("control", 5), ("resilient", 4), ("susceptible", 3), ("ketamine responder", 3))
        for _ in range(size)
    ]
    line = next(line for line in _evaluate(rng.normal(size=(15, 4000)), Groups.of(names)) if line.claim == "R4")
    assert line.with_shared_animals == pytest.approx(0.625, abs=0.1)
    assert line.interval is None

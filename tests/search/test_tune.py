import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from responder_ml.search.tune import InnerScore, is_gain, tune

SPACE = {
    "n_features": IntDistribution(5, 500, log=True),
    "C": FloatDistribution(1e-4, 1.0, log=True),
    "l1_ratio": CategoricalDistribution((0.0, 0.5)),
}
FIXED = {"n_features": 20}


def _value(params):
    """A rough function with ties, as an AUROC of few subjects has."""
    penalty = params.get("C", 0.1)
    return round(abs((params["n_features"] * 7 % 97) / 97 - penalty) + 0.1 * params.get("l1_ratio", 0.0), 1)


def _same_in_all_folds(value, log_loss=0.5, folds=6):
    return InnerScore(np.full(folds, value), log_loss)


def _tune(space, value_of, *, trials, seed, fixed=FIXED):
    return tune(
        space,
        lambda settings: [_same_in_all_folds(value_of(params)) for params in settings],
        trials=trials,
        seed=seed,
        inner_folds=3,
        fixed=fixed,
    )


@pytest.mark.parametrize("trials", [4, 10, 12, 30])
def test_the_fixed_form_comes_first_and_then_a_plain_study_asked_and_told_one_trial_at_a_time(trials):
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=9))
    for _ in range(trials - 1):
        trial = study.ask(SPACE)
        study.tell(trial, _value(trial.params))
    tuned = _tune(SPACE, _value, trials=trials, seed=9)
    assert list(tuned.trials) == [FIXED, *(trial.params for trial in study.trials)]
    assert list(tuned.values) == [_value(FIXED), *(trial.value for trial in study.trials)]
    assert tuned.value == max(study.best_value, _value(FIXED))


def test_no_setting_is_tried_twice():
    tried = []

    def objective(settings):
        tried.extend(params["n"] for params in settings)
        return [_same_in_all_folds(params["n"] / 10) for params in settings]

    tuned = tune({"n": IntDistribution(1, 3)}, objective, trials=20, seed=1, inner_folds=3, fixed={"n": 2})
    assert len(tuned.values) == 20
    assert sorted(tried) == [1, 2, 3]


def test_nothing_to_tune_is_evaluated_once():
    tuned = _tune({}, lambda _: 0.25, trials=20, seed=1, fixed={})
    assert (tuned.params, tuned.value, tuned.values) == ({}, 0.25, (0.25,))


def test_differences_beyond_the_tenth_digit_are_ties_that_change_no_trial():
    def tuned_with(noise):
        return _tune(
            {"C": FloatDistribution(0.0, 1.0)},
            lambda params: 0.5 + round(params["C"], 1) + noise * params["C"],
            trials=30,
            seed=4,
            fixed={"C": 0.5},
        )

    exact, noisy = tuned_with(0.0), tuned_with(1e-12)
    assert (noisy.params, noisy.values, noisy.trials) == (exact.params, exact.values, exact.trials)


def test_the_fixed_form_is_left_only_for_a_gain_beyond_the_noise_of_the_inner_folds(rng):
    noisy = np.array([0.3, -0.2, 0.25, -0.15, 0.3, -0.1])
    for gain, leaves in ((0.02, False), (0.5, True)):

        def objective(settings, gain=gain):
            return [InnerScore(0.5 + (gain + noisy) * (params["n"] == 7), 0.5) for params in settings]

        tuned = tune({"n": IntDistribution(7, 7)}, objective, trials=4, seed=1, inner_folds=3, fixed={"n": 1})
        assert max(tuned.values) > tuned.values[0]
        assert tuned.params == ({"n": 7} if leaves else {"n": 1})


def test_the_noise_allows_for_training_sets_that_overlap():
    base, other = InnerScore(np.full(4, 0.5), 1.0), InnerScore(np.array([0.5, 0.6, 0.6, 0.7]), 1.0)
    # Mean gain 0.1; variance 0.02 / 3; with 2 inner folds its factor is 1 / 4 + 1.
    assert is_gain(other, base, 2) == (np.sqrt(1.25 * 0.02 / 3) < 0.1)
    assert is_gain(InnerScore(other.concordances - 0.01, 1.0), base, 3)
    assert not is_gain(InnerScore(other.concordances - 0.01, 1.0), base, 2)
    assert not is_gain(base, base, 2)


def test_equal_aurocs_are_told_apart_by_log_loss_then_by_simplicity_never_by_order():
    def tuned_with(losses):
        return tune(
            {"n_features": IntDistribution(1, 3)},
            lambda settings: [
                InnerScore(np.full(6, 0.4 if params["n_features"] == 9 else 0.9), losses.get(params["n_features"], 0.5))
                for params in settings
            ],
            trials=20,
            seed=1,
            inner_folds=3,
            fixed={"n_features": 9},
        )

    assert tuned_with({3: 0.1}).params == {"n_features": 3}
    assert tuned_with({}).params == {"n_features": 1}


def test_a_caller_that_edits_its_trials_changes_no_later_search():
    first = _tune(SPACE, lambda _: 0.5, trials=4, seed=6)
    expected = [dict(params) for params in first.trials]
    first.trials[1].clear()
    assert list(_tune(SPACE, lambda _: 0.5, trials=4, seed=6).trials) == expected


def test_one_seed_gives_one_search_and_another_seed_another():
    trials = [_tune(SPACE, lambda _: 0.5, trials=12, seed=seed).trials for seed in (1, 1, 2)]
    assert trials[0] == trials[1] != trials[2]

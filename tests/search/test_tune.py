import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from responder_ml.search.tune import tune

SPACE = {
    "n_features": IntDistribution(5, 500, log=True),
    "C": FloatDistribution(1e-4, 1.0, log=True),
    "l1_ratio": CategoricalDistribution((0.0, 0.5)),
}


def _score(params):
    """A rough function with ties, as an AUROC of few subjects has."""
    return round(abs((params["n_features"] * 7 % 97) / 97 - params["C"]) + 0.1 * params["l1_ratio"], 1)


@pytest.mark.parametrize("trials", [4, 10, 11, 30])
def test_equals_a_plain_study_asked_and_told_one_trial_at_a_time(trials):
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=9))
    for _ in range(trials):
        trial = study.ask(SPACE)
        study.tell(trial, _score(trial.params))
    tuned = tune(SPACE, lambda settings: [_score(params) for params in settings], trials=trials, seed=9)
    assert list(tuned.trials) == [trial.params for trial in study.trials]
    assert list(tuned.values) == [trial.value for trial in study.trials]
    assert (tuned.params, tuned.value) == (study.best_params, study.best_value)


def test_no_setting_is_tried_twice():
    tried = []

    def objective(settings):
        tried.extend(params["n"] for params in settings)
        return [params["n"] / 10 for params in settings]

    tuned = tune({"n": IntDistribution(1, 3)}, objective, trials=20, seed=1)
    assert len(tuned.values) == 20
    assert sorted(tried) == [1, 2, 3]


def test_nothing_to_tune_is_evaluated_once():
    tuned = tune({}, lambda settings: [0.25 for _ in settings], trials=20, seed=1)
    assert (tuned.params, tuned.value, tuned.values) == ({}, 0.25, (0.25,))


def test_differences_beyond_the_tenth_digit_are_ties_that_change_no_trial():
    def objective(noise):
        return lambda settings: [0.5 + round(params["C"], 1) + noise * params["C"] for params in settings]

    space = {"C": FloatDistribution(0.0, 1.0)}
    exact, noisy = (tune(space, objective(noise), trials=30, seed=4) for noise in (0.0, 1e-12))
    assert noisy == exact
    assert exact.params == exact.trials[exact.values.index(max(exact.values))]


def test_a_caller_that_edits_its_trials_changes_no_later_search():
    first = tune(SPACE, lambda settings: [0.5 for _ in settings], trials=4, seed=6)
    expected = [dict(params) for params in first.trials]
    first.trials[0].clear()
    assert list(tune(SPACE, lambda settings: [0.5 for _ in settings], trials=4, seed=6).trials) == expected


def test_one_seed_gives_one_search_and_another_seed_another():
    trials = [tune(SPACE, lambda settings: [0.5 for _ in settings], trials=12, seed=seed).trials for seed in (1, 1, 2)]
    assert trials[0] == trials[1] != trials[2]

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
    found = tune(SPACE, lambda settings: [_score(params) for params in settings], trials=trials, seed=9)
    assert list(found.trials) == [trial.params for trial in study.trials]
    assert list(found.values) == [trial.value for trial in study.trials]
    assert (found.params, found.value) == (study.best_params, study.best_value)


def test_no_setting_is_tried_twice():
    seen = []

    def objective(settings):
        seen.extend(params["n"] for params in settings)
        return [params["n"] / 10 for params in settings]

    found = tune({"n": IntDistribution(1, 3)}, objective, trials=20, seed=1)
    assert len(found.values) == 20
    assert sorted(seen) == [1, 2, 3]


def test_nothing_to_tune_is_evaluated_once():
    found = tune({}, lambda settings: [0.25 for _ in settings], trials=20, seed=1)
    assert (found.params, found.value, found.values) == ({}, 0.25, (0.25,))

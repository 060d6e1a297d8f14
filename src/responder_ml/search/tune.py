"""Tune one candidate on inner folds with Optuna, in memory, from one seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna import Study, Trial

# TPE turns the last bit of a mean AUROC into another sequence of trials; rounding makes equal procedures equal.
_OBJECTIVE_DIGITS = 10
# Optuna's own default: trials before the sampler starts to learn from them.
_RANDOM_TRIALS = 10

Objective = Callable[[Sequence[Mapping[str, Any]]], Sequence[float]]


@dataclass(frozen=True)
class Tuned:
    """The result of tuning one candidate.

    Attributes
    ----------
    params
        Parameters of the best trial; the earliest of equals.
    value
        Its objective.
    values
        Objective of every trial, in order.
    trials
        Parameters of every trial, in order.
    """

    params: dict[str, Any]
    value: float
    values: tuple[float, ...]
    trials: tuple[dict[str, Any], ...]


def tune(space: Mapping[str, Any], objective: Objective, *, trials: int, seed: int) -> Tuned:
    """Maximise ``objective`` over ``space`` with a seeded TPE sampler.

    Parameters
    ----------
    space
        Optuna distributions by parameter name. An empty space is evaluated once.
    objective
        Mean inner scores of several settings of the parameters; stored for settings met before.
    trials
        Number of trials.
    seed
        Seed of the sampler.
    """
    known: dict[tuple[Any, ...], float] = {}

    def values_of(settings: Sequence[dict[str, Any]]) -> list[float]:
        keys = [tuple(params.values()) for params in settings]
        new = {key: params for key, params in zip(keys, settings, strict=True) if key not in known}
        if new:
            scores = objective(list(new.values()))
            known.update(zip(new, (round(score, _OBJECTIVE_DIGITS) for score in scores), strict=True))
        return [known[key] for key in keys]

    if not space:
        values = values_of([{}])
        return Tuned({}, values[0], tuple(values), ({},))
    # The first trials are drawn at random and do not depend on earlier scores, so they are evaluated together.
    if trials <= _RANDOM_TRIALS:
        settings = [dict(params) for params in _random_settings(trials, seed, tuple(space.items()))]
        values = values_of(settings)
    else:
        study, random_trials = _start(_RANDOM_TRIALS, seed, space)
        settings = [trial.params for trial in random_trials]
        values = values_of(settings)
        for trial, value in zip(random_trials, values, strict=True):
            study.tell(trial, value)
        for _ in range(trials - _RANDOM_TRIALS):
            trial = study.ask(dict(space))
            settings.append(trial.params)
            values += values_of(settings[-1:])
            study.tell(trial, values[-1])
    best = max(range(len(values)), key=values.__getitem__)
    return Tuned(settings[best], values[best], tuple(values), tuple(settings))


@lru_cache(maxsize=4096)
def _random_settings(count: int, seed: int, space: tuple[tuple[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """Return the settings of the random trials; a null uses the same seeds again for every labelling."""
    return tuple(trial.params for trial in _start(count, seed, dict(space))[1])


def _start(count: int, seed: int, space: Mapping[str, Any]) -> tuple["Study", list["Trial"]]:
    """Begin a study and ask for its random trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_RANDOM_TRIALS)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    return study, [study.ask(dict(space)) for _ in range(count)]

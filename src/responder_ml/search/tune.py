"""Tune one candidate on inner folds with Optuna, in memory, from one seed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# TPE turns the last bit of a mean AUROC into another sequence of trials; rounding makes equal procedures equal.
_OBJECTIVE_DIGITS = 10


@dataclass(frozen=True)
class Tuned:
    """What a search found.

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


def tune(space: Mapping[str, Any], objective: Callable[[dict[str, Any]], float], *, trials: int, seed: int) -> Tuned:
    """Maximise ``objective`` over ``space`` with a seeded TPE sampler.

    Parameters
    ----------
    space
        Optuna distributions by parameter name. An empty space is evaluated once.
    objective
        Mean inner score of some parameters; remembered for parameters met before.
    trials
        How many trials.
    seed
        Of the sampler.
    """
    import optuna

    known: dict[tuple[Any, ...], float] = {}

    def value_of(params: dict[str, Any]) -> float:
        key = tuple(params.values())
        if key not in known:
            known[key] = round(objective(params), _OBJECTIVE_DIGITS)
        return known[key]

    if not space:
        value = value_of({})
        return Tuned({}, value, (value,), ({},))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    tried: list[dict[str, Any]] = []
    values: list[float] = []
    for _ in range(trials):
        trial = study.ask(dict(space))
        params = trial.params
        value = value_of(params)
        study.tell(trial, value)
        tried.append(params)
        values.append(value)
    best = max(range(len(values)), key=values.__getitem__)
    return Tuned(tried[best], values[best], tuple(values), tuple(tried))

"""Tune one candidate on inner folds, in memory: its fixed form first, then settings drawn by Optuna.

The fixed form is trial 0. It is left only for a setting whose inner AUROC (of a graded outcome: concordance) is higher by more
than the standard error of the difference over the inner folds, corrected for training sets that overlap: with few subjects most
differences between settings are noise. Settings of equal AUROC are told apart by the log-loss of their inner decisions (the
squared error), then by simplicity; never by the order in which they were tried or written down.

The first ten trials after the fixed form are drawn at random, before any score is known, and are the same for every training set
and labelling. Optuna's TPE sampler proposes the later ones.

References
----------
Breiman L, Friedman J, Olshen R, Stone C (1984) Classification and Regression Trees, section 3.4.3 (one standard error)
Nadeau C, Bengio Y (2003) doi:10.1023/A:1024068626366 (the correction)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from responder_ml.arrays import Floats

if TYPE_CHECKING:
    from optuna import Study, Trial

# TPE turns the last bit of a mean AUROC into another sequence of trials; rounding makes equal procedures equal.
_OBJECTIVE_DIGITS = 10
# Optuna's own default: trials before the sampler starts to learn from them.
_RANDOM_TRIALS = 10


@dataclass(frozen=True)
class InnerScore:
    """How one setting did on the inner folds.

    Attributes
    ----------
    concordances
        Of each inner fold; of two classes it is the AUROC.
    loss
        Mean log-loss of the inner decisions, or mean squared error of predicted outcomes.
    """

    concordances: Floats
    loss: float

    @property
    def value(self) -> float:
        """The mean concordance, rounded so that rounding errors decide nothing."""
        return round(float(np.mean(self.concordances)), _OBJECTIVE_DIGITS)


Objective = Callable[[Sequence[Mapping[str, Any]]], Sequence[InnerScore]]


@dataclass(frozen=True)
class Tuned:
    """The result of tuning one candidate.

    Attributes
    ----------
    params
        Parameters taken: those of the fixed form unless others did better by more than noise.
    value
        Their objective.
    values
        Objective of every trial, in order; the fixed form's first.
    trials
        Parameters of every trial, in order.
    score
        How the parameters taken did on the inner folds; None where nothing was tuned.
    """

    params: dict[str, Any]
    value: float
    values: tuple[float, ...]
    trials: tuple[dict[str, Any], ...]
    score: InnerScore | None = None


def tune(
    space: Mapping[str, Any],
    objective: Objective,
    *,
    trials: int,
    seed: int,
    inner_folds: int,
    fixed: Mapping[str, Any] | None = None,
) -> Tuned:
    """Look for a setting that does better on the inner folds than the fixed form.

    Parameters
    ----------
    space
        Optuna distributions by parameter name. An empty space is evaluated once.
    objective
        Inner scores of several settings of the parameters; stored for settings met before.
    trials
        Number of trials, the fixed form included.
    seed
        Seed of the sampler.
    inner_folds
        Folds of each inner repeat, for the standard error.
    fixed
        Parameters of the fixed form; those left out of it keep the classifier's defaults.
    """
    fixed = dict(fixed or {})
    known: dict[tuple[tuple[str, Any], ...], InnerScore] = {}

    def scores_of(settings: Sequence[dict[str, Any]]) -> list[InnerScore]:
        keys = [tuple(sorted(params.items())) for params in settings]
        new = {key: params for key, params in zip(keys, settings, strict=True) if key not in known}
        if new:
            known.update(zip(new, objective(list(new.values())), strict=True))
        return [known[key] for key in keys]

    if not space:
        (score,) = scores_of([fixed])
        return Tuned(fixed, score.value, (score.value,), (fixed,), score)
    further = max(trials - 1, 0)
    study, random_trials = _start(min(further, _RANDOM_TRIALS), seed, space) if further > _RANDOM_TRIALS else (None, [])
    drawn = _random_settings(min(further, _RANDOM_TRIALS), seed, tuple(space.items()))
    settings = [fixed, *(dict(params) for params in drawn)]
    # These do not depend on earlier scores, so they are evaluated together.
    scores = scores_of(settings)
    if study is not None:
        for trial, score in zip(random_trials, scores[1:], strict=True):
            study.tell(trial, score.value)
        for _ in range(further - _RANDOM_TRIALS):
            trial = study.ask(dict(space))
            settings.append(trial.params)
            scores += scores_of(settings[-1:])
            study.tell(trial, scores[-1].value)
    best = min(range(len(settings)), key=lambda index: _rank(settings[index], scores[index]))
    if not is_gain(scores[best], scores[0], inner_folds):
        best = 0
    values = tuple(score.value for score in scores)
    return Tuned(settings[best], values[best], values, tuple(settings), scores[best])


def is_gain(score: InnerScore, other: InnerScore, inner_folds: int) -> bool:
    """Return whether one inner score exceeds another by more than the standard error of their difference.

    Parameters
    ----------
    score, other
        On the same inner folds.
    inner_folds
        Folds of each inner repeat: test sets are ``1 / (inner_folds - 1)`` times as large as training sets.
    """
    differences = score.concordances - other.concordances
    gain = score.value - other.value
    if gain <= 0 or len(differences) < 2:
        return gain > 0
    error = sqrt((1.0 / len(differences) + 1.0 / (inner_folds - 1)) * float(np.var(differences, ddof=1)))
    return gain > error


def _rank(params: Mapping[str, Any], score: InnerScore) -> tuple[float, float, float, list[tuple[str, str]]]:
    """Return what settings are ordered by: AUROC, log-loss, number of features, and the parameters themselves."""
    others = sorted((key, repr(value)) for key, value in params.items())
    return (-score.value, round(score.loss, _OBJECTIVE_DIGITS), float(params.get("n_features", 0)), others)


@lru_cache(maxsize=4096)
def _random_settings(count: int, seed: int, space: tuple[tuple[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """Return the settings of the random trials; every training set and labelling uses them again."""
    return tuple(trial.params for trial in _start(count, seed, dict(space))[1])


def _start(count: int, seed: int, space: Mapping[str, Any]) -> tuple["Study", list["Trial"]]:
    """Begin a study and ask for its random trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_RANDOM_TRIALS)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    return study, [study.ask(dict(space)) for _ in range(count)]

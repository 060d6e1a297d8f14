"""The tuning of a run as Optuna studies in a file, for those who want to look at it in optuna-dashboard.

Studies live in memory while a run is trained, since a store costs more than a trial. Their trials are in the table ``trials``
of the run, and from there they are written on request: one study for each candidate, with the trials of all outer training sets.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from responder_ml.errors import TrackingError
from responder_ml.records.run import Run, empty_table


def write_studies(run: Run, path: Path) -> tuple[str, ...]:
    """Write a journal of Optuna studies, and return their names, those of the candidates that were tuned.

    A trial has its mean inner AUROC as value, and repeat, fold and number as attributes. Parameters have the range that was tried.

    Parameters
    ----------
    run
        The run.
    path
        File to write.

    Raises
    ------
    TrackingError
        Nothing was tuned, or the file is there already or cannot be written.
    """
    trials = run.tables.get("trials", empty_table("trials"))
    if trials.empty:
        raise TrackingError(
            f"Nothing was tuned in {run.name}: with few subjects fixed forms are used. There is no Optuna study to write."
        )
    if path.exists():
        raise TrackingError(f"{path} is there already and is not overwritten. Name another file.")
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
        for name, of_candidate in trials.groupby("candidate", sort=False):
            study = optuna.create_study(storage=storage, study_name=str(name), direction="maximize")
            settings = [json.loads(text) for text in of_candidate["params"]]
            space = _space(settings)
            study.add_trials(
                optuna.trial.create_trial(
                    value=float(row["value"]),
                    params=params,
                    distributions={key: space[key] for key in params},
                    user_attrs={key: int(row[key]) for key in ("repeat", "fold", "trial")},
                )
                for row, params in zip(of_candidate.to_dict("records"), settings, strict=True)
            )
    except OSError as problem:
        raise TrackingError(f"{path} cannot be written: {problem}. Free space, or name another file.") from problem
    return tuple(map(str, trials["candidate"].drop_duplicates()))


def _space(settings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the distribution of each parameter: the range, or the values, that the trials have."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    space: dict[str, Any] = {}
    for key in dict.fromkeys(key for params in settings for key in params):
        values = [params[key] for params in settings if key in params]
        if all(type(value) is int for value in values):
            space[key] = IntDistribution(min(values), max(values))
        elif all(type(value) in (int, float) for value in values):
            space[key] = FloatDistribution(min(values), max(values))
        else:
            space[key] = CategoricalDistribution(list(dict.fromkeys(values)))
    return space

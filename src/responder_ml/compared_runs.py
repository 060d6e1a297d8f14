"""Runs as `compare` sees them, of two classes or of a graded outcome: rows of the leaderboard, and scores of folds to be paired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.errors import RunError
from responder_ml.records.graded import ANSWER, GradedRun, read_graded
from responder_ml.records.run import Run, read_run
from responder_ml.search.candidate import AUTO
from responder_ml.statistics.concordance import concordance

_Record = TypeVar("_Record", Run, GradedRun)


@dataclass(frozen=True)
class ComparedRun:
    """A run to be compared.

    Attributes
    ----------
    record
        The run as it was read.
    measure
        What its leaderboard ranks by: ``auroc`` or ``concordance``.
    description
        Cells of the leaderboard that are the same for all of its rows.
    rows
        The other cells, one row per candidate, auto first.
    folds
        Who was held out with whom: subject, label (or outcome), repeat, fold and whatever else decides which pairs are compared; in
        one order.
    scores
        Measure of auto, and of the candidates where their decisions are known, in every fold of every repeat, in one order.
    n_folds
        Folds of a repeat.
    """

    record: Run | GradedRun
    measure: str
    description: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    folds: pd.DataFrame = field(repr=False)
    scores: Mapping[str, Floats] = field(repr=False)
    n_folds: int

    @property
    def simulated(self) -> bool:
        """Whether the data are simulated."""
        return self.record.result.simulated


def read_compared(folders: Sequence[Path]) -> dict[str, Run] | dict[str, GradedRun]:
    """Read runs of one kind under names of their own: the job's, the folder's where jobs share one, or else the whole path.

    Raises
    ------
    RunError
        A folder is no run or lacks what is compared, is listed twice, or runs of both kinds are listed.
    """
    paths = [folder.resolve() for folder in folders]
    twice = sorted({str(path) for path in paths if paths.count(path) > 1})
    if twice:
        raise RunError(f"{', '.join(twice)} is given more than once. Give each run folder once.")
    graded = [folder for folder in folders if (folder / ANSWER).is_file()]
    if graded and len(graded) < len(folders):
        other = next(folder for folder in folders if folder not in graded)
        raise RunError(
            f"{graded[0]} predicts a graded outcome and {other} tells classes apart: a concordance and an AUROC cannot be ranked "
            "together. Compare runs of each kind among themselves."
        )
    if graded:
        return _named([_complete_graded(read_graded(folder), folder) for folder in folders], paths)
    return _named([_complete(read_run(folder), folder) for folder in folders], paths)


def compared(run: Run | GradedRun) -> ComparedRun:
    """Return a run as it is compared."""
    return _graded_run(run) if isinstance(run, GradedRun) else _class_run(run)


def _named(runs: Sequence[_Record], paths: Sequence[Path]) -> dict[str, _Record]:
    names = [run.name for run in runs]
    for longer_names in ([path.name for path in paths], [str(path) for path in paths]):
        names = [longer if names.count(name) > 1 else name for name, longer in zip(names, longer_names, strict=True)]
    return dict(zip(names, runs, strict=True))


def _complete(run: Run, folder: Path) -> Run:
    _require(run.tables, ("candidates", "folds", "out_of_fold"), folder)
    return run


def _complete_graded(run: GradedRun, folder: Path) -> GradedRun:
    _require(run.tables, ("candidates", "predictions"), folder)
    return run


def _require(tables: Mapping[str, pd.DataFrame], names: Sequence[str], folder: Path) -> None:
    empty = [name for name in names if tables[name].empty]
    if empty:
        raise RunError(f"{folder} has nothing in {', '.join(f'{name}.csv' for name in empty)}. Train it again.")


def _class_run(run: Run) -> ComparedRun:
    endpoint, n, null, global_test = run.result.endpoint, run.result.n, run.result.null, run.result.global_test
    # The endpoint's own column is in the question already.
    where = {column: values for column, values in endpoint.where.items() if column != endpoint.column}
    table, out_of_fold = run.tables["candidates"], run.tables["out_of_fold"]
    of_auto = {
        "p_value": np.nan if null is None else null.p_value,
        "global_p_value": np.nan if global_test is None else global_test.p_value,
        "verdict": run.result.verdict.level,
    }
    columns = ["subject", "label", "repeat", "fold"]
    wide = run.tables["folds"].pivot(index=["repeat", "fold"], columns="candidate", values="auroc").astype(np.float64)
    return ComparedRun(
        record=run,
        measure="auroc",
        description={
            "where": _in_words(where),
            "question": f"{endpoint.positive} against {endpoint.negative}",
            "positive": n.positive,
            "negative": n.negative,
        },
        rows=_rows(table, ("auroc", "auroc_low", "auroc_high"), of_auto),
        folds=out_of_fold.loc[out_of_fold["candidate"] == AUTO, columns].drop_duplicates().sort_values(columns),
        scores={str(name): wide[name].to_numpy() for name in table["name"]},
        n_folds=run.result.search.folds,
    )


def _graded_run(run: GradedRun) -> ComparedRun:
    result, predictions = run.result, run.tables["predictions"]
    of_auto = {"p_value": np.nan if result.null is None else result.null.p_value, "verdict": result.verdict.level}
    if "stratum" not in predictions:
        # Of a version that wrote none: all pairs held out together are then compared, in every run alike.
        predictions = predictions.assign(stratum=0)
    columns = ["subject", "outcome", "repeat", "fold", "stratum"]
    measures = ("concordance", "concordance_low", "concordance_high", "spearman", "mae")
    return ComparedRun(
        record=run,
        measure="concordance",
        description={
            "where": _in_words(result.where),
            "question": f"order of {result.outcome.column}",
            "subjects": result.n.subjects,
        },
        rows=_rows(run.tables["candidates"], measures, of_auto),
        folds=predictions[columns].rename(columns={"outcome": "label"}).sort_values(["repeat", "fold", "subject"]),
        scores={AUTO: _fold_concordances(predictions)},
        n_folds=result.search.folds,
    )


def _rows(table: pd.DataFrame, measures: Sequence[str], of_auto: Mapping[str, Any]) -> list[dict[str, Any]]:
    empty = {key: "" if key == "verdict" else np.nan for key in of_auto}
    return [
        {
            "candidate": row["name"],
            **{key: row[key] for key in measures},
            **(of_auto if row["name"] == AUTO else empty),
        }
        for row in table.to_dict("records")
    ]


def _fold_concordances(predictions: pd.DataFrame) -> Floats:
    """Return the concordance of every fold of every repeat, over pairs of one stratum; not a number where a fold has none."""
    values = []
    for _, of_fold in predictions.sort_values(["repeat", "fold", "subject"]).groupby(["repeat", "fold"]):
        right, pairs = 0.0, 0
        for _, rows in of_fold.groupby("stratum"):
            outcome, prediction = rows["outcome"].to_numpy(np.float64), rows["prediction"].to_numpy(np.float64)
            of_stratum = int(np.sum(outcome[:, None] > outcome))
            right += concordance(outcome, prediction) * of_stratum if of_stratum else 0.0
            pairs += of_stratum
        values.append(right / pairs if pairs else np.nan)
    return np.array(values)


def _in_words(where: Mapping[str, str | Sequence[str]]) -> str:
    return "; ".join(
        f"{column}: {values if isinstance(values, str) else ', '.join(values)}" for column, values in where.items()
    )

"""Meta-analysis of runs: the mean AUROC over cohorts, and what a new cohort may show.

AUROCs are pooled as logits, whose sampling distribution is nearer to a normal one (Debray et al. 2019); the standard error of each
is the width of the run's 95 % interval on that scale. An AUROC of 1 or 0 is moved by half a pair of subjects.

Runs on the same files may share subjects, such as the controls of two drugs. Their errors correlate as the sizes of the groups say
(`statistics.random_effects.shared_correlation`), and the weights allow for it.

References
----------
Debray TPA, Damen JAAG, Riley RD et al. (2019) A framework for meta-analysis of prediction model studies with binary and
    time-to-event outcomes. Stat Methods Med Res 28:2768-2786. doi:10.1177/0962280218785504
"""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from responder_ml.errors import RunError
from responder_ml.meta_cohorts import STEPS, note_on_classes
from responder_ml.meta_estimates import pool_cohorts, shared_subjects
from responder_ml.records.claims_folder import RECORD as CLAIMS
from responder_ml.records.files import named_folder
from responder_ml.records.meta import META_FOLDER, CohortRow, MetaResult, MetaRun, write_meta
from responder_ml.records.pooled import SharedSubjects
from responder_ml.records.run import RUN_FOLDER, Run, read_run
from responder_ml.records.signatures import ANSWER as SIGNATURES
from responder_ml.report.meta import render_meta
from responder_ml.report.numbers import is_missing
from responder_ml.statistics.random_effects import Pooled, pool
from responder_ml.versions import versions_of

_CHANCE = 0.5
_ANSWERS: Mapping[Literal["runs", "signatures", "claims"], str] = {
    "runs": RUN_FOLDER.answer,
    "signatures": SIGNATURES,
    "claims": CLAIMS,
}


def meta(folders: Sequence[Path], out: Path) -> MetaRun:
    """Pool the headlines of runs, and write the folder.

    Parameters
    ----------
    folders
        Run folders, two or more.
    out
        Folder to write.

    Raises
    ------
    RunError
        A folder is not a run, has no AUROC or is of the data of another one; or the folder to write holds something else.
    """
    META_FOLDER.check(out)
    runs = read_cohorts(folders)
    result = pool_runs(runs)
    table = pd.DataFrame([row.model_dump() for row in result.cohorts])
    run = MetaRun(result, {"cohorts": table}, {"runs": [str(folder) for folder in folders]})
    write_meta(run, render_meta(run), out)
    return run


def kind_of_folders(folders: Sequence[Path], claims: Sequence[str] = ()) -> Literal["runs", "signatures", "claims"]:
    """Tell what the folders hold.

    Parameters
    ----------
    folders
        Folders to pool.
    claims
        Codes of claims that were asked for.

    Raises
    ------
    RunError
        There are fewer than two, one is listed twice, they hold different things, or claims are asked of something else.
    """
    if len(folders) < 2:
        raise RunError(
            f"A meta-analysis needs two folders or more, {len(folders)} given. Run `train`, `signatures` or `claims` on each "
            "cohort by itself first."
        )
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise RunError("A folder is listed twice. List each cohort once.")
    kinds: dict[Literal["runs", "signatures", "claims"], Path] = {}
    for folder in folders:
        of_folder = [kind for kind, answer in _ANSWERS.items() if (folder / answer).is_file()]
        if not of_folder:
            raise RunError(
                f"{folder} is no run and no folder of signatures or claims: {', '.join(_ANSWERS.values())} not found. Give folders "
                "that `train`, `signatures` or `claims` wrote."
            )
        kinds.setdefault(of_folder[0], folder)
    if len(kinds) > 1:
        words = ", ".join(f"{folder} holds {kind}" for kind, folder in kinds.items())
        raise RunError(f"Different things cannot be pooled: {words}. Give folders of one kind.")
    (only,) = kinds
    if claims and only != "claims":
        raise RunError(f"--claim {claims[0]} belongs to folders of claims, but {folders[0]} holds {only}. Take it out.")
    return only


def default_folder(folders: Sequence[Path]) -> Path:
    """Return the folder, named after the number of runs and a digest of theirs."""
    return named_folder("meta", f"{len(folders)}-cohorts", sorted(str(folder.resolve()) for folder in folders))


def read_cohorts(folders: Sequence[Path]) -> dict[str, Run]:
    """Read runs of different data, by a name that none shares.

    Raises
    ------
    RunError
        There are fewer than two, one is listed twice, a folder is not a run or has no AUROC, or two are of the same data.
    """
    kind_of_folders(folders)
    runs = {folder: read_run(folder) for folder in folders}
    names = [run.name for run in runs.values()]
    of_data: dict[str, Path] = {}
    for folder, run in runs.items():
        low, high = run.result.headline.auroc_ci
        if any(is_missing(value) for value in (run.result.headline.auroc, low, high)):
            raise RunError(f"{folder} has no AUROC with an interval: nothing was trained in it. Leave it out.")
        other = of_data.setdefault(run.result.data_sha256, folder)
        if other != folder:
            raise RunError(f"{other} and {folder} are runs on the same data, not two cohorts. Leave one of them out.")
    return {run.name if names.count(run.name) == 1 else str(folder): run for folder, run in runs.items()}


def pool_runs(runs: dict[str, Run]) -> MetaResult:
    """Return the record of a meta-analysis of some runs, by name."""
    results = [run.result for run in runs.values()]
    values = np.array([[result.headline.auroc, *result.headline.auroc_ci] for result in results], dtype=np.float64)
    half_a_pair = np.array([[0.5 / (result.n.positive * result.n.negative)] for result in results])
    logits = logit(np.clip(values, half_a_pair, 1.0 - half_a_pair))
    estimates, variances = logits[:, 0], ((logits[:, 2] - logits[:, 1]) / (2.0 * STEPS)) ** 2
    correlation, shared = shared_subjects({name: _members(run) for name, run in runs.items()})
    pooled = pool_cohorts(list(runs), estimates, variances, correlation)
    rows = []
    for index, (name, run) in enumerate(runs.items()):
        rest = np.arange(len(runs)) != index
        among = correlation[np.ix_(rest, rest)]
        without = pool(estimates[rest], variances[rest], correlation=among) if len(runs) > 2 else None
        others = (
            {}
            if without is None
            else dict(zip(("without", "without_low", "without_high"), _auroc(without), strict=True))
        )
        result, null = run.result, run.result.null
        rows.append(
            CohortRow(
                cohort=name,
                positive=result.endpoint.positive,
                negative=result.endpoint.negative,
                n_positive=result.n.positive,
                n_negative=result.n.negative,
                auroc=values[index, 0],
                auroc_low=values[index, 1],
                auroc_high=values[index, 2],
                p_value=None if null is None else null.p_value,
                verdict=result.verdict.level,
                weight=float(pooled.weights[index]),
                **others,
            )
        )
    mean, low, high = _auroc(pooled)
    simulated = any(result.simulated for result in results)
    new_low, new_high = (float(expit(end)) for end in pooled.prediction)
    level = "evidence" if low > _CHANCE else "no_evidence"
    return MetaResult(
        name=f"{len(runs)} cohorts",
        simulated=simulated,
        auroc=mean,
        auroc_low=low,
        auroc_high=high,
        p_value=pooled.p_value,
        prediction_low=new_low,
        prediction_high=new_high,
        tau2=pooled.tau2,
        tau2_low=pooled.tau2_interval[0],
        tau2_high=pooled.tau2_interval[1],
        i2=pooled.i2,
        q=pooled.q,
        q_p_value=pooled.q_p_value,
        level=level,
        sentence=(
            f"{'Simulated data: over' if simulated else 'Over'} {len(runs)} cohorts the mean AUROC is {mean:.2f} (95 % interval "
            f"{low:.2f} to {high:.2f}, p = {pooled.p_value:.2g}). In a new cohort the true AUROC may lie anywhere from "
            f"{new_low:.2f} to {new_high:.2f} (95 % prediction interval)."
        ),
        notes=tuple(_notes(runs, shared)),
        shared=tuple(shared),
        cohorts=tuple(rows),
        versions=versions_of(),
    )


def _auroc(pooled: Pooled) -> tuple[float, float, float]:
    mean, low, high = expit(np.array([pooled.estimate, *pooled.interval]))
    return float(mean), float(low), float(high)


def _members(run: Run) -> dict[str, int] | None:
    """Return the label of each subject by its name, its samples and the files they are from; None where these are not known."""
    cohort = run.config.get("cohort")
    if not isinstance(cohort, dict):
        return None
    of_files = {key: cohort.get(key) for key in ("source", "expression", "samples", "layer", "params")}
    source = json.dumps([of_files, run.result.seed if run.result.simulated else None], sort_keys=True, default=str)
    table = run.tables["out_of_fold"].drop_duplicates("sample")
    labels: dict[str, int] = {}
    for sample, subject, label in zip(table["sample"], table["subject"], table["label"], strict=True):
        labels[f"{source} {sample} {subject}"] = int(label)
    return labels


def _notes(runs: dict[str, Run], known: Sequence[SharedSubjects]) -> list[str]:
    """Say where cohorts share animals or may share them, and where they ask different questions."""
    notes = [one.sentence for one in known]
    pairs = {(one.one, one.other) for one in known}
    subjects = {name: set(run.tables["out_of_fold"]["subject"].astype(str)) for name, run in runs.items()}
    for one, other in combinations(runs, 2):
        shared = len(subjects[one] & subjects[other])
        if shared and (one, other) not in pairs:
            notes.append(
                f"{one} and {other} have {shared} names of subjects in common. If these are the same animals (two regions of one "
                "cohort, for instance) they are one cohort, not two, and the interval is too narrow."
            )
    endpoints = [run.result.endpoint for run in runs.values()]
    return [*notes, *note_on_classes((endpoint.positive, endpoint.negative) for endpoint in endpoints)]

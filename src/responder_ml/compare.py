"""Compare: runs side by side, and paired tests wherever they were scored on the same subjects and folds.

Pairs within a run are its candidates and the whole procedure, their mean ("auto"); a run on a graded outcome keeps held-out
predictions of auto alone and has none. Pairs across runs are their headlines (auto) only: a run's best candidate, picked by hand,
would be biased upwards. One Holm correction covers every pair shown. Runs that differ by their seed alone are one job: they are
shown as a group, with the range of their results.

References
----------
Nadeau C, Bengio Y (2003) Inference for the generalization error. doi:10.1023/A:1024068626366
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from responder_ml.compared_runs import ComparedRun, compared, read_compared
from responder_ml.errors import RunError, door
from responder_ml.evaluation.intervals import compare_pairs
from responder_ml.records.csv_tables import csv_text
from responder_ml.records.files import write_folder
from responder_ml.records.ownership import FolderKind
from responder_ml.records.seed_groups import describe_groups, group_by_seed
from responder_ml.report.leaderboard import render_leaderboard
from responder_ml.search.candidate import AUTO
from responder_ml.statistics.multiple_testing import holm

LEADERBOARD, PAIRS, SEEDS, PAGE = "leaderboard.csv", "pairs.csv", "seeds.csv", "leaderboard.html"

_FILES = (LEADERBOARD, PAIRS, SEEDS, PAGE)

_PAIR_COLUMNS = [
    "first_run", "first", "second_run", "second", "difference", "low", "high", "t", "p_value", "p_holm", "n_folds"
]  # fmt: skip
_ONE_TEST = (
    "p and verdict belong to a run's whole procedure (auto), which combines the candidates; they are each "
    "run's own and not corrected for the number of runs."
)
_BY_NAME = "Subjects of different runs count as the same where their names are the same."


def _former_files(folder: Path) -> frozenset[str]:
    """Return the files of a comparison that a version without lists of files wrote, told by its table of pairs."""
    try:
        header = pd.read_csv(folder / PAIRS, nrows=0).columns.tolist()
    except (OSError, ValueError):
        return frozenset()
    return frozenset(name for name in _FILES if (folder / name).is_file()) if header == _PAIR_COLUMNS else frozenset()


COMPARISON_FOLDER = FolderKind("comparison", _former_files)
"""How a folder of a comparison is recognised before it is written."""


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes
    ----------
    leaderboard
        One row per run and candidate, best AUROC first: run, where, question, positive, negative (subjects), candidate,
        auroc, auroc_low, auroc_high (95 % interval), p_value, global_p_value (of the global test) and verdict (of auto;
        missing for a candidate, and p also where no null was run). Of graded outcomes, best concordance first: subjects in place
        of positive and negative, concordance, concordance_low, concordance_high, spearman and mae, and no global test.
    pairs
        One row per pair: first_run, first, second_run, second, difference (mean over the folds both were scored on,
        first minus second), low, high (95 %, corrected), t, p_value, p_holm, n_folds.
    seeds
        One row per job that was run under several seeds; see `group_by_seed`.
    notes
        What was tested and what was not, and why.
    simulated
        Whether any run is of simulated data.
    measure
        What is ranked and compared: ``auroc``, or ``concordance`` with graded outcomes.
    """

    leaderboard: pd.DataFrame = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)
    seeds: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...]
    simulated: bool
    measure: str = "auroc"


def compare(folders: Sequence[Path]) -> Comparison:
    """Put the candidates of some runs on one leaderboard, and test differences where they are paired.

    Parameters
    ----------
    folders
        Run folders, all of two classes or all of graded outcomes.

    Raises
    ------
    RunError
        A folder is not a run, is listed twice, or runs of both kinds are listed.
    """
    records = read_compared(folders)
    # A run of a version without checksums may be read and still lack what is compared.
    advice = "Use intact copies, or train the jobs again."
    with door(RunError, "The runs cannot be compared, one of them is damaged", advice):
        runs = {name: compared(record) for name, record in records.items()}
        groups = _same_folds(runs)
        pairs = _all_pairs(runs, groups)
        measure = next(iter(runs.values())).measure
        seeds = group_by_seed(records, measure)
        described = describe_groups(seeds, measure)
        return Comparison(
            leaderboard=_leaderboard(runs),
            pairs=pairs,
            seeds=seeds,
            notes=(*described, _ONE_TEST, *_explain_pairs(runs, _one_per_job(groups, seeds), len(pairs))),
            simulated=any(run.simulated for run in runs.values()),
            measure=measure,
        )


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write the tables as CSV, and a page with the figures that needs nothing else.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    page = render_leaderboard(
        comparison.leaderboard, comparison.pairs, comparison.notes, comparison.simulated, comparison.measure
    )
    contents = {
        LEADERBOARD: csv_text(comparison.leaderboard),
        PAIRS: csv_text(comparison.pairs),
        SEEDS: csv_text(comparison.seeds.assign(runs=comparison.seeds["runs"].map("; ".join))),
        PAGE: page,
    }
    write_folder(folder, contents, COMPARISON_FOLDER)


def _leaderboard(runs: Mapping[str, ComparedRun]) -> pd.DataFrame:
    rows = [{"run": name, **run.description, **row} for name, run in runs.items() for row in run.rows]
    measure = next(iter(runs.values())).measure
    return pd.DataFrame(rows).sort_values(measure, ascending=False, kind="stable", ignore_index=True)


def _same_folds(runs: Mapping[str, ComparedRun]) -> list[list[str]]:
    """Group the runs in which every repeat held out the same subjects together, with the same labels."""
    groups: dict[str, list[str]] = {}
    for name, run in runs.items():
        groups.setdefault(run.folds.to_csv(index=False), []).append(name)
    return list(groups.values())


def _all_pairs(runs: Mapping[str, ComparedRun], groups: Sequence[Sequence[str]]) -> pd.DataFrame:
    parts = []
    for name, run in runs.items():
        # With one candidate auto is that candidate.
        if len(run.scores) > 2:
            parts.append(compare_pairs(run.scores, run.n_folds).assign(first_run=name, second_run=name))
    for group in groups:
        headlines = {name: runs[name].scores[AUTO] for name in group}
        if len(headlines) > 1:
            across = compare_pairs(headlines, runs[group[0]].n_folds)
            parts.append(across.rename(columns={"first": "first_run", "second": "second_run"}).assign(
                first=AUTO, second=AUTO
            ))  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=_PAIR_COLUMNS)
    table = pd.concat(parts, ignore_index=True)[_PAIR_COLUMNS]
    return table.assign(p_holm=holm(table["p_value"].to_numpy(dtype=np.float64)))


def _one_per_job(groups: Sequence[Sequence[str]], seeds: pd.DataFrame) -> list[Sequence[str]]:
    """Leave out groups that are a job of an earlier one under other seeds: nobody asks which seed is better."""
    job_of = {name: row for row, names in enumerate(seeds["runs"]) for name in names}
    distinct: dict[object, Sequence[str]] = {}
    for index, group in enumerate(groups):
        jobs = {job_of.get(name, f"no job of several seeds, {name}") for name in group}
        distinct.setdefault(jobs.pop() if len(jobs) == 1 else index + 0.5, group)
    return list(distinct.values())


def _explain_pairs(runs: Mapping[str, ComparedRun], groups: Sequence[Sequence[str]], n_pairs: int) -> list[str]:
    notes = []
    if n_pairs:
        notes.append(
            "Differences are means over the folds that both were scored on; intervals and p are corrected for training "
            f"sets that overlap (Nadeau and Bengio), p also for all {n_pairs} pair(s) (Holm)."
        )
    if any(len(group) > 1 for group in groups):
        notes.append(_BY_NAME)
    reference = groups[0]
    for group in groups[1:]:
        reason = _why_unpaired(runs[reference[0]], runs[group[0]])
        notes.append(
            f"Not tested: {' and '.join(group)} against {' and '.join(reference)}. {reason} They are shown side by side."
        )
    if len(groups) > 2:
        others = "; ".join(" and ".join(group) for group in groups)
        notes.append(f"Nor is any difference tested between two other of these groups: {others}.")
    return notes


def _why_unpaired(one: ComparedRun, other: ComparedRun) -> str:
    labels, others = (
        run.folds.drop_duplicates("subject").set_index("subject")["label"].sort_index() for run in (one, other)
    )
    if not labels.index.equals(others.index):
        shared = len(labels.index.intersection(others.index))
        return f"They do not have the same subjects (of {len(labels)} and {len(others)}, {shared} are in both)."
    if not labels.equals(others):
        return f"The subjects are the same, but have other {'labels' if one.measure == 'auroc' else 'outcomes'}."
    return (
        "The subjects are the same but the folds are not; train with the same `search`, strata and `seed` to pair them."
    )

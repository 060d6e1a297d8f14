"""Meta-analysis of signatures and of claims: each over the cohorts that have it, with what cohorts share in the weights."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.errors import RunError, list_names
from responder_ml.meta_cohorts import (
    Cohort,
    Estimate,
    estimates_of_claims,
    estimates_of_signatures,
    note_on_classes,
)
from responder_ml.records.claims_folder import read_claims
from responder_ml.records.files import named_folder
from responder_ml.records.pooled import (
    POOLED_FOLDER,
    TABLES,
    EstimateRow,
    PooledResult,
    PooledRow,
    PooledRun,
    SharedSubjects,
    write_pooled,
)
from responder_ml.records.signatures import SignaturesRun, read_signatures
from responder_ml.report.pooled import render_pooled
from responder_ml.report.words import conclusion
from responder_ml.statistics.multiple_testing import benjamini_hochberg
from responder_ml.statistics.random_effects import Pooled, pool, shared_correlation
from responder_ml.versions import versions_of

FDR = 0.05
"""Level of the false discovery rate at which the sentence counts."""


def meta_estimates(
    folders: Sequence[Path], kind: Literal["signatures", "claims"], out: Path, claims: Sequence[str] = ()
) -> PooledRun:
    """Pool signatures or claims over cohorts, and write the folder.

    Parameters
    ----------
    folders
        Folders of `signatures` or of `claims`, two or more.
    kind
        Which.
    out
        Folder to write.
    claims
        Codes of the claims to pool, with all their statistics; the lines that verdicts rest on by default.

    Raises
    ------
    RunError
        A folder cannot be read, two are of the same data, or nothing is in two of them.
    """
    POOLED_FOLDER.check(out)
    if kind == "signatures":
        read = {folder: read_signatures(folder) for folder in folders}
        cohorts = _named((folder, run.result.name, estimates_of_signatures(run)) for folder, run in read.items())
        notes = _different_files(dict(zip(cohorts, read.values(), strict=True)))
    else:
        tables = {folder: read_claims(folder) for folder in folders}
        cohorts = _named((folder, table.name, estimates_of_claims(table, claims)) for folder, table in tables.items())
        notes = [
            "Folders of claims do not say which animals they are of: a control group that cohorts share counts in each of them."
        ]
    _refuse_same_data(cohorts)
    run = pool_all(cohorts, kind, notes, {"folders": [str(folder) for folder in folders], "claims": list(claims)})
    write_pooled(run, render_pooled(run), out)
    return run


def default_folder(folders: Sequence[Path], kind: str, claims: Sequence[str] = ()) -> Path:
    """Return the folder, named after the number of cohorts and a digest of theirs."""
    settings = [sorted(str(folder.resolve()) for folder in folders), sorted(claims)]
    return named_folder("meta", f"{len(folders)}-cohorts-{kind}", settings)


def pool_all(
    cohorts: Mapping[str, Cohort], kind: Literal["signatures", "claims"], notes: Iterable[str], config: dict[str, Any]
) -> PooledRun:
    """Pool what at least two cohorts have.

    Parameters
    ----------
    cohorts
        By name.
    kind
        What they hold.
    notes
        What is said already.
    config
        What is recorded of the call.

    Raises
    ------
    RunError
        Nothing is in two cohorts, or the subjects of some cohorts are those of others.
    """
    correlation, shared = shared_subjects({name: cohort.members for name, cohort in cohorts.items()})
    names = list(dict.fromkeys(what for cohort in cohorts.values() for what in (*cohort.estimates, *cohort.refused)))
    pooled, estimates, not_pooled = [], [], {}
    for what in names:
        members = [index for index, cohort in enumerate(cohorts.values()) if what in cohort.estimates]
        if len(members) < 2:
            reasons = [f"{name}: {cohort.refused[what]}" for name, cohort in cohorts.items() if what in cohort.refused]
            not_pooled[what] = "; ".join([f"{len(members)} of {len(cohorts)} cohorts have an estimate", *reasons])
            continue
        of_cohorts = {name: cohort.estimates[what] for name, cohort in cohorts.items() if what in cohort.estimates}
        row, rows = _pool_one(what, of_cohorts, correlation[np.ix_(members, members)])
        pooled.append(row)
        estimates += rows
    if not pooled:
        raise RunError(
            f"Nothing can be pooled: no {kind[:-1]} has an estimate in two of the {len(cohorts)} folders "
            f"({'; '.join(f'{what}: {reason}' for what, reason in list(not_pooled.items())[:3])}). Name signatures alike in all "
            "lists, or give cohorts with intervals."
        )
    table = pd.DataFrame(pooled)
    table["fdr"] = benjamini_hochberg(table["p_value"])
    table = table[list(TABLES["pooled"])].sort_values(["p_value", "pooled"], kind="stable").reset_index(drop=True)
    refused = [
        f"{what} is not pooled from {name}: {reason}."
        for name, cohort in cohorts.items()
        for what, reason in cohort.refused.items()
        if what not in not_pooled
    ]
    simulated = any(cohort.simulated for cohort in cohorts.values())
    result = PooledResult(
        name=f"{len(cohorts)} cohorts",
        kind=kind,
        simulated=simulated,
        fdr=FDR,
        level="evidence" if (table["fdr"] <= FDR).any() else "no_evidence",
        sentence=describe_pooled(table, kind, len(cohorts), simulated),
        notes=(*(one.sentence for one in shared), *_notes(cohorts, shared), *notes, *refused),
        shared=tuple(shared),
        not_pooled=not_pooled,
        versions=versions_of(),
    )
    return PooledRun(result, {"pooled": table, "estimates": pd.DataFrame(estimates)}, config)


def pool_cohorts(names: Sequence[str], estimates: Floats, variances: Floats, correlation: Floats) -> Pooled:
    """Pool estimates whose errors may be correlated.

    Parameters
    ----------
    names
        Of the cohorts.
    estimates, variances, correlation
        As for `pool`.

    Raises
    ------
    RunError
        The subjects of one cohort are those of the others.
    """
    try:
        return pool(estimates, variances, correlation=correlation)
    except ValueError as problem:
        raise RunError(f"{list_names(names)} cannot be pooled. {problem} Leave one of them out.") from problem


def shared_subjects(
    members: Mapping[str, Mapping[str, int] | None],
) -> tuple[Floats, list[SharedSubjects]]:
    """Return the correlation of the errors of cohorts, and which cohorts share subjects.

    Parameters
    ----------
    members
        1 (positive) or 0 (negative) for each subject of each cohort; None where they are not known.
    """
    correlation, shared = np.eye(len(members)), []
    for (first, (one, of_one)), (second, (other, of_other)) in combinations(enumerate(members.items()), 2):
        if not of_one or not of_other:
            continue
        both = len(set(of_one) & set(of_other))
        if both:
            value = float(shared_correlation([of_one, of_other])[0, 1])
            correlation[first, second] = correlation[second, first] = value
            shared.append(SharedSubjects(one=one, other=other, subjects=both, correlation=value))
    return correlation, shared


def describe_pooled(table: pd.DataFrame, kind: str, cohorts: int, simulated: bool) -> str:
    """Return the conclusion in one sentence."""
    counted = table[table["fdr"] <= FDR]
    word = f"{len(table):,} {kind if len(table) > 1 else kind[:-1]}"
    if counted.empty:
        one = f"the {kind[:-1]}" if len(table) == 1 else f"any of {word}"
        sentence = (
            f"over {cohorts} cohorts no evidence that {one} has a mean other than 0 (false discovery rate {FDR:g})."
        )
    else:
        first = counted.iloc[0]
        sentence = (
            f"over {cohorts} cohorts {len(counted):,} of {word} {'has' if len(counted) == 1 else 'have'} a mean other than 0 "
            f"(false discovery rate {FDR:g}): {list_names(counted['pooled'].tolist(), most=3)}. The mean of {first['pooled']} is "
            f"{first['mean']:.2f} (95 % interval {first['low']:.2f} to {first['high']:.2f}); in a new cohort it may lie anywhere "
            f"from {first['prediction_low']:.2f} to {first['prediction_high']:.2f}."
        )
    return conclusion(sentence, simulated)


def _pool_one(
    what: str, estimates: Mapping[str, Estimate], correlation: Floats
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    y = np.array([one.observed - one.no_effect for one in estimates.values()])
    v = np.array([one.standard_error**2 for one in estimates.values()])
    mean = pool_cohorts(list(estimates), y, v, correlation)
    row = PooledRow(
        pooled=what,
        cohorts=len(y),
        mean=mean.estimate,
        low=mean.interval[0],
        high=mean.interval[1],
        p_value=mean.p_value,
        fdr=1.0,
        prediction_low=mean.prediction[0],
        prediction_high=mean.prediction[1],
        tau2=mean.tau2,
        tau2_low=mean.tau2_interval[0],
        tau2_high=mean.tau2_interval[1],
        i2=mean.i2,
        q=mean.q,
        q_p_value=mean.q_p_value,
    )
    rows = []
    for index, (name, one) in enumerate(estimates.items()):
        others = np.arange(len(y)) != index
        without = {}
        if len(y) > 2:
            rest = pool(y[others], v[others], correlation=correlation[np.ix_(others, others)])
            without = {"without": rest.estimate, "without_low": rest.interval[0], "without_high": rest.interval[1]}
        rows.append(
            EstimateRow(
                pooled=what,
                cohort=name,
                subjects=one.subjects,
                observed=one.observed,
                no_effect=one.no_effect,
                estimate=float(y[index]),
                standard_error=one.standard_error,
                low=one.low - one.no_effect,
                high=one.high - one.no_effect,
                weight=float(mean.weights[index]),
                **without,
            ).model_dump()
        )
    return row.model_dump(), rows


def _named(cohorts: Iterable[tuple[Path, str, Cohort]]) -> dict[str, Cohort]:
    rows = list(cohorts)
    names = [name for _, name, _ in rows]
    return {name if names.count(name) == 1 else str(folder): cohort for folder, name, cohort in rows}


def _refuse_same_data(cohorts: Mapping[str, Cohort]) -> None:
    of_data: dict[str, str] = {}
    for name, cohort in cohorts.items():
        other = of_data.setdefault(cohort.data, name)
        if other != name:
            raise RunError(f"{other} and {name} are of the same data, not two cohorts. Leave one of them out.")


def _different_files(runs: Mapping[str, SignaturesRun]) -> list[str]:
    """Say which signatures of one name come from files that differ."""
    digests: dict[str, dict[str, str]] = {}
    for name, run in runs.items():
        of_entry = {source.name: source.sha256 for source in run.result.sources}
        for row in run.rows:
            digests.setdefault(row.signature, {})[name] = of_entry.get(row.listed_as, "")
    differing = [signature for signature, of_cohorts in digests.items() if len(set(of_cohorts.values())) > 1]
    if not differing:
        return []
    return [
        f"The file of {list_names(differing)} is not the same in all cohorts: whether it is one signature is yours to judge."
    ]


def _notes(cohorts: Mapping[str, Cohort], shared: Sequence[SharedSubjects]) -> list[str]:
    notes = []
    pairs = {(one.one, one.other) for one in shared}
    for one, other in combinations(cohorts, 2):
        names = len(cohorts[one].subjects & cohorts[other].subjects)
        if names and (one, other) not in pairs:
            notes.append(
                f"{one} and {other} have {names} names of subjects in common, and other data. If these are the same animals "
                "(two regions of one cohort, for instance) they are one cohort, not two, and the intervals are too narrow."
            )
    notes += note_on_classes(cohort.classes for cohort in cohorts.values() if cohort.classes is not None)
    constant = {name: ", ".join(cohort.held_constant) or "nothing" for name, cohort in cohorts.items()}
    if len(set(constant.values())) > 1:
        words = "; ".join(f"{name}: {columns}" for name, columns in constant.items())
        notes.append(
            f"The cohorts hold different things constant ({words}): differences are in standard deviations of what remains, which "
            "within pairs is less than between animals."
        )
    return notes

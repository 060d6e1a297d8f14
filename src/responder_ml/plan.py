"""Plan: what class sizes can show before any training, and how many subjects a target power needs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from responder_ml.arrays import Labels
from responder_ml.build import build_cohort, build_endpoint, build_null_plan
from responder_ml.cohort.endpoint import LabelledCohort, label_cohort
from responder_ml.config import JobConfig
from responder_ml.contrasts.claim_power import ClaimReach, reach_of_claims
from responder_ml.contrasts.founding_claims import build_rows
from responder_ml.contrasts.groups import FEWEST
from responder_ml.contrasts.study_regions import WHOLE_COHORT, require_columns
from responder_ml.errors import ConfigError, EndpointError
from responder_ml.evaluation.composition import with_composition
from responder_ml.evaluation.permutation import is_exact, min_attainable_p
from responder_ml.evaluation.power import attainable_p, auroc_needed, null_auroc_sd, power, subjects_needed
from responder_ml.evaluation.relabel import are_pairs
from responder_ml.evaluation.verdict import is_underpowered
from responder_ml.job_sections import NullConfig
from responder_ml.records.csv_tables import csv_text
from responder_ml.records.files import write_text

Strata = Sequence[tuple[int, int]]

AUROCS = (0.7, 0.8, 0.9)
"""True AUROCs that are looked at by default."""

_BEST_CASE = (
    "Best case: the exact Mann-Whitney test of a score that needs no training (both classes normal, equal variance). A "
    "model trained on the same subjects has less power."
)


@dataclass(frozen=True)
class ClassSizes:
    """What two classes of these sizes allow.

    Attributes
    ----------
    positive, negative
        Subjects.
    strata
        Positive and negative subjects of each stratum; empty for none.
    labellings
        Distinct ways to label the subjects within strata.
    attainable_p
        Smallest one-sided p of a test that runs all of them.
    null_sd
        Standard deviation of the AUROC of an uninformative score.
    auroc_needed
        Smallest AUROC with p at most alpha; None if even 1 does not reach it.
    """

    positive: int
    negative: int
    strata: tuple[tuple[int, int], ...]
    labellings: int
    attainable_p: float
    null_sd: float
    auroc_needed: float | None


@dataclass(frozen=True)
class PowerAtAuroc:
    """Power and sample size at one true AUROC.

    Attributes
    ----------
    auroc
        True AUROC.
    power
        Probability of p at most alpha with these class sizes; None without sizes.
    needed
        Positive and negative subjects for the target power; None without a target.
    """

    auroc: float
    power: float | None
    needed: tuple[int, int] | None


@dataclass(frozen=True)
class PowerAnalysis:
    """The answer of `plan`.

    Attributes
    ----------
    alpha
        Level of the one-sided test.
    target_power
        Of the subjects needed; None without a target.
    sizes
        What the class sizes allow; None without sizes.
    rows
        One per true AUROC.
    notes
        What the answer rests on, and its limits.
    """

    alpha: float
    target_power: float | None
    sizes: ClassSizes | None
    rows: tuple[PowerAtAuroc, ...]
    notes: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return one row per true AUROC, each with the columns of the class sizes."""
        sizes = self.sizes
        size_columns = {} if sizes is None else {
            "positive": sizes.positive,
            "negative": sizes.negative,
            "strata": ",".join(f"{positive}/{negative}" for positive, negative in sizes.strata),
            "labellings": sizes.labellings,
            "attainable_p": sizes.attainable_p,
            "null_sd": sizes.null_sd,
            "auroc_needed": np.nan if sizes.auroc_needed is None else sizes.auroc_needed,
        }  # fmt: skip
        records = []
        for row in self.rows:
            record = {**size_columns, "alpha": self.alpha, "auroc": row.auroc}
            if row.power is not None:
                record["power"] = row.power
            if row.needed is not None:
                record |= {"wanted_power": self.target_power}
                record |= dict(zip(("positive_needed", "negative_needed"), row.needed, strict=True))
            records.append(record)
        return pd.DataFrame(records)


def plan(
    positive: int | None = None,
    negative: int | None = None,
    *,
    strata: Strata | None = None,
    job: JobConfig | None = None,
    aurocs: Sequence[float] = AUROCS,
    target_power: float | None = None,
    alpha: float | None = None,
) -> PowerAnalysis:
    """Say what class sizes allow, how many subjects a target power needs, or both.

    Parameters
    ----------
    positive, negative
        Subjects per class; the sums of ``strata`` by default.
    strata
        Positive and negative subjects of each stratum within which labels are permuted.
    job
        Configuration whose cohort has the class sizes and strata; instead of ``positive``, ``negative`` and ``strata``.
    aurocs
        True AUROCs to look at.
    target_power
        Also find the subjects needed for it, at the ratio of the class sizes, one to one without them.
    alpha
        Level of the one-sided test; the job's by default.

    Raises
    ------
    ConfigError
        Both class sizes and a job are specified.
    EndpointError
        A number is out of its range, or there are neither sizes nor a target power.
    ResponderError
        The job's cohort cannot be used.

    Examples
    --------
    >>> analysis = plan(6, 7, aurocs=[0.8, 0.9])
    >>> [round(row.power, 2) for row in analysis.rows]
    [0.56, 0.87]
    """
    notes = []
    if job is not None:
        if (positive, negative, strata) != (None, None, None):
            raise ConfigError("--config brings its own class sizes. Leave out --positive, --negative and --strata.")
        cohort = build_cohort(job.cohort, job.seed)
        labelled = label_cohort(*with_composition(cohort, build_endpoint(job.endpoint)))
        positive, negative, strata = _class_sizes(labelled)
        notes.append(_describe_null(job, labelled))
    level = (NullConfig() if job is None else job.null).alpha if alpha is None else alpha
    sizes = _sizes(positive, negative, strata, level)
    if sizes is None and target_power is None:
        raise EndpointError(
            "There is nothing to plan with. Give the subjects of both classes, a job's configuration, or a target power."
        )
    ratio = 1.0 if sizes is None else sizes.negative / sizes.positive
    rows = tuple(
        PowerAtAuroc(
            auroc,
            None if sizes is None else power(sizes.positive, sizes.negative, auroc, level),
            None if target_power is None else subjects_needed(auroc, target_power, level, ratio),
        )
        for auroc in aurocs
    )
    return PowerAnalysis(level, target_power, sizes, rows, (*notes, *_cautions(sizes, level), _BEST_CASE))


def plan_claims(job: JobConfig) -> dict[str, list[ClaimReach]]:
    """Say what the animals of a job allow for each claim of the founding study, region by region; no expression is compared.

    Parameters
    ----------
    job
        Configuration whose cohort has the groups, and whose ``claims`` has the words for them and the level.

    Raises
    ------
    ContrastError
        A column is missing, or a region lacks control or susceptible animals, or treated ones with a response.
    """
    sheet = build_cohort(job.cohort, job.seed).obs
    require_columns(sheet)
    regions = sheet["region"].astype(str) if "region" in sheet else pd.Series(WHOLE_COHORT, index=sheet.index)
    reach = {}
    for region in pd.unique(regions):
        rows = sheet[(regions == region).to_numpy()]
        groups = job.claims.words.groups(rows[~rows["subject"].duplicated()])
        build_rows(groups)
        sizes = {name: groups.size(name) for name in groups.names if groups.size(name) >= FEWEST}
        reach[str(region)] = reach_of_claims(sizes, job.claims.alpha)
    return reach


def tabulate_claims(reach: Mapping[str, list[ClaimReach]]) -> pd.DataFrame:
    """Return one row per region and claim."""
    rows = [{"region": region, **asdict(claim)} for region, claims in reach.items() for claim in claims]
    for row in rows:
        row["sizes"] = "; ".join(f"{name} {count}" for name, count in row["sizes"].items())
    return pd.DataFrame(rows)


def read_strata(text: str) -> tuple[tuple[int, int], ...]:
    """Read counts such as ``3/3,3/4``: positive and negative subjects of each stratum.

    Raises
    ------
    EndpointError
        The text is something else.
    """
    parts = [part.strip().split("/") for part in text.split(",")]
    if not all(len(part) == 2 and all(count.strip().isdigit() for count in part) for part in parts):
        raise EndpointError(
            f"Strata are '{text}', but must be written as positive/negative subjects of each, such as 3/3,3/4."
        )
    return tuple((int(positive), int(negative)) for positive, negative in parts)


def write_plan(analysis: PowerAnalysis, path: Path) -> None:
    """Write the table as CSV.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    write_text(path, csv_text(analysis.table()))


def _sizes(positive: int | None, negative: int | None, strata: Strata | None, alpha: float) -> ClassSizes | None:
    if strata is not None:
        positive = sum(pair[0] for pair in strata) if positive is None else positive
        negative = sum(pair[1] for pair in strata) if negative is None else negative
    if positive is None and negative is None:
        return None
    if positive is None or negative is None:
        raise EndpointError("There are subjects of one class only. Give both, positive and negative.")
    attainable = attainable_p(positive, negative, strata)
    return ClassSizes(
        positive,
        negative,
        tuple(strata or ()),
        attainable.labellings,
        attainable.p_value,
        null_auroc_sd(positive, negative),
        auroc_needed(positive, negative, alpha),
    )


def _cautions(sizes: ClassSizes | None, alpha: float) -> list[str]:
    if sizes is None:
        return []
    notes = []
    if is_underpowered(sizes.attainable_p, alpha):
        notes.append(
            f"Underpowered: the smallest attainable p is {sizes.attainable_p:.2g}, which is above {alpha:g}. Whatever "
            "`train` finds with these subjects, its verdict can only be `underpowered`."
        )
    if sizes.strata:
        unit = "pairs" if are_pairs(sizes.strata) else "strata"
        notes.append(
            f"Labellings and the smallest p are counted within {unit}; the AUROC needed and power take all subjects as one "
            "stratum."
        )
    return notes


def _class_sizes(labelled: LabelledCohort) -> tuple[int, int, list[tuple[int, int]] | None]:
    """Return the positive and negative subjects, in all and in each stratum."""
    labels, codes = labelled.labels, labelled.strata
    positive, negative = _count(labels)
    strata = [_count(labels[codes == code]) for code in np.unique(codes)] if labelled.endpoint.strata else None
    return positive, negative, strata


def _count(labels: Labels) -> tuple[int, int]:
    positive = int(labels.sum())
    return positive, len(labels) - positive


def _describe_null(job: JobConfig, labelled: LabelledCohort) -> str:
    """Say how the number of relabellings in the job's own null limits p further."""
    permutations = job.null.permutations
    if permutations == 0:
        return f"{job.name} runs no null (null.permutations is 0), so its `train` gives no p."
    null = build_null_plan(job)
    method = (
        "all labellings"
        if is_exact(labelled.labels, labelled.strata, permutations)
        else f"up to {null.budget:,} relabellings"
    )
    smallest = min_attainable_p(labelled.labels, labelled.strata, null)
    return (
        f"{job.name} runs {method} (null.permutations is {permutations}), so its `train` can reach p = {smallest:.2g}."
    )

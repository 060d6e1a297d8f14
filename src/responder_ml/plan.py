"""Plan: what given class sizes can show before anyone trains, and how many subjects a wanted power takes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from responder_ml.build import build_cohort, build_endpoint
from responder_ml.cohort.endpoint import LabelledCohort, label_cohort
from responder_ml.config import JobConfig, NullConfig
from responder_ml.errors import EndpointError
from responder_ml.evaluation.permutation import is_exact, min_attainable_p
from responder_ml.evaluation.power import attainable_p, auroc_needed, null_auroc_sd, power, subjects_needed
from responder_ml.evaluation.verdict import is_underpowered
from responder_ml.records.files import write_text

Strata = Sequence[tuple[int, int]]

AUROCS = (0.7, 0.8, 0.9)
"""True AUROCs that are looked at unless others are asked for."""

_BEST_CASE = (
    "Best case: the exact Mann-Whitney test of a score that needs no training (both classes normal, equal variance). A "
    "model trained on the same subjects does worse."
)


@dataclass(frozen=True)
class Sizes:
    """What two classes of given sizes allow.

    Attributes
    ----------
    positive, negative
        Subjects.
    strata
        Positive and negative subjects of each stratum; empty for none.
    labellings
        Distinct ways to label the subjects within strata.
    attainable_p
        Smallest one-sided p of a test that runs them all.
    null_sd
        Standard deviation of the AUROC of a score that knows nothing.
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
class Outlook:
    """What a true AUROC would mean.

    Attributes
    ----------
    auroc
        True AUROC.
    power
        Probability of p at most alpha at the given sizes; None without sizes.
    needed
        Positive and negative subjects for the target power; None if none was asked for.
    """

    auroc: float
    power: float | None
    needed: tuple[int, int] | None


@dataclass(frozen=True)
class Planning:
    """The answer of ``plan``; ``notes`` say what it rests on."""

    alpha: float
    wanted_power: float | None
    sizes: Sizes | None
    outlooks: tuple[Outlook, ...]
    notes: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return one row per true AUROC, with the sizes' own columns repeated."""
        sizes = self.sizes
        about = {} if sizes is None else {
            "positive": sizes.positive,
            "negative": sizes.negative,
            "strata": ",".join(f"{positive}/{negative}" for positive, negative in sizes.strata),
            "labellings": sizes.labellings,
            "attainable_p": sizes.attainable_p,
            "null_sd": sizes.null_sd,
            "auroc_needed": np.nan if sizes.auroc_needed is None else sizes.auroc_needed,
        }  # fmt: skip
        rows = []
        for each in self.outlooks:
            row = {**about, "alpha": self.alpha, "auroc": each.auroc}
            if each.power is not None:
                row["power"] = each.power
            if each.needed is not None:
                row |= {"wanted_power": self.wanted_power}
                row |= dict(zip(("positive_needed", "negative_needed"), each.needed, strict=True))
            rows.append(row)
        return pd.DataFrame(rows)


def plan(
    positive: int | None = None,
    negative: int | None = None,
    *,
    strata: Strata | None = None,
    aurocs: Sequence[float] = AUROCS,
    wanted_power: float | None = None,
    alpha: float | None = None,
) -> Planning:
    """Say what class sizes allow, what a wanted power takes, or both.

    Parameters
    ----------
    positive, negative
        Subjects per class; the sums of ``strata`` if not given.
    strata
        Positive and negative subjects of each stratum within which labels are permuted.
    aurocs
        True AUROCs to look at.
    wanted_power
        Also find the subjects needed for it, at the ratio of the given classes, one to one without them.
    alpha
        Level of the one-sided test; a job's default if not given.

    Raises
    ------
    EndpointError
        A number is out of its range, or neither sizes nor a wanted power are given.
    """
    level = NullConfig().alpha if alpha is None else alpha
    sizes = _sizes(positive, negative, strata, level)
    if sizes is None and wanted_power is None:
        raise EndpointError(
            "There is nothing to plan with. Give the subjects of both classes, a job's configuration, or a wanted power."
        )
    ratio = 1.0 if sizes is None else sizes.negative / sizes.positive
    outlooks = tuple(
        Outlook(
            auroc,
            None if sizes is None else power(sizes.positive, sizes.negative, auroc, level),
            None if wanted_power is None else subjects_needed(auroc, wanted_power, level, ratio),
        )
        for auroc in aurocs
    )
    return Planning(level, wanted_power, sizes, outlooks, (*_cautions(sizes, level), _BEST_CASE))


def plan_job(
    job: JobConfig,
    *,
    aurocs: Sequence[float] = AUROCS,
    wanted_power: float | None = None,
    alpha: float | None = None,
) -> Planning:
    """Plan with the class sizes and strata of a job's cohort.

    Parameters
    ----------
    job
        Configuration.
    aurocs, wanted_power
        As for `plan`.
    alpha
        The job's own if not given.

    Raises
    ------
    ResponderError
        Anything the user can mend.
    """
    labelled = label_cohort(build_cohort(job.cohort, job.seed), build_endpoint(job.endpoint))
    positive = int(labelled.labels.sum())
    found = plan(
        positive,
        len(labelled.labels) - positive,
        strata=_strata_of(labelled),
        aurocs=aurocs,
        wanted_power=wanted_power,
        alpha=job.null.alpha if alpha is None else alpha,
    )
    return replace(found, notes=(_of_job(job, labelled), *found.notes))


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


def write_plan(found: Planning, path: Path) -> None:
    """Write the table as CSV.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    write_text(path, found.table().to_csv(index=False))


def _sizes(positive: int | None, negative: int | None, strata: Strata | None, alpha: float) -> Sizes | None:
    if strata is not None:
        positive = sum(pair[0] for pair in strata) if positive is None else positive
        negative = sum(pair[1] for pair in strata) if negative is None else negative
    if positive is None and negative is None:
        return None
    if positive is None or negative is None:
        raise EndpointError("Subjects of one class only are given. Give both, positive and negative.")
    possible = attainable_p(positive, negative, strata)
    return Sizes(
        positive,
        negative,
        tuple(strata or ()),
        possible.labellings,
        possible.p_value,
        null_auroc_sd(positive, negative),
        auroc_needed(positive, negative, alpha),
    )


def _cautions(sizes: Sizes | None, alpha: float) -> list[str]:
    if sizes is None:
        return []
    notes = []
    if is_underpowered(sizes.attainable_p, alpha):
        notes.append(
            f"Underpowered: the smallest attainable p is {sizes.attainable_p:.2g}, which is not below {alpha:g}. Whatever "
            "`train` finds with these subjects, its verdict can only be `underpowered`."
        )
    if sizes.strata:
        notes.append(
            "Labellings and the smallest p are counted within strata; the AUROC needed and power take all subjects as one "
            "stratum."
        )
    return notes


def _strata_of(labelled: LabelledCohort) -> list[tuple[int, int]] | None:
    codes, labels = labelled.strata, labelled.labels
    if not labelled.endpoint.strata:
        return None
    return [
        (int(np.sum(labels[codes == code] == 1)), int(np.sum(labels[codes == code] == 0))) for code in np.unique(codes)
    ]


def _of_job(job: JobConfig, labelled: LabelledCohort) -> str:
    """Say how the job's own null, which may draw relabellings, limits p further."""
    asked = job.null.permutations
    smallest = min_attainable_p(labelled.labels, labelled.strata, asked)
    if asked == 0:
        return f"{job.name} runs no null (null.permutations is 0), so its `train` gives no p."
    how = "all labellings" if is_exact(labelled.labels, labelled.strata, asked) else f"{asked:,} relabellings"
    return f"{job.name} runs {how} (null.permutations is {asked:,}), so its `train` can reach p = {smallest:.2g}."

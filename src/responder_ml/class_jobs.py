"""From a job of several classes to the ordinary job of every two of them, and to the subjects of all classes with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from anndata import AnnData

from responder_ml.arrays import Labels
from responder_ml.build import PreparedJob, build_candidates, build_cohort, build_endpoint, prepare_job
from responder_ml.cohort.combine_samples import combine_samples
from responder_ml.cohort.endpoint import LabelledCohort, label_cohort
from responder_ml.cohort.sample_sheet import rows_where
from responder_ml.cohort.spelling import match_word
from responder_ml.config import JobConfig
from responder_ml.errors import ConfigError, FeatureError
from responder_ml.evaluation.class_pairs import pairs_of
from responder_ml.evaluation.composition import with_composition
from responder_ml.search.search_data import context_of


@dataclass(frozen=True)
class PairJob:
    """Two of the classes as an ordinary job; its run goes beside that of all classes, its bundle into theirs."""

    job: JobConfig
    out: Path
    bundle: Path


@dataclass(frozen=True)
class PreparedClasses:
    """A job of several classes whose data have been read; nothing is trained yet.

    Attributes
    ----------
    labelled
        The subjects of all classes. Their label is that of the first class against all others.
    classes
        Class of each subject, as an index into the endpoint's classes.
    pairs
        The job of every two classes, prepared.
    """

    labelled: LabelledCohort
    classes: Labels
    pairs: tuple[PreparedJob, ...]


def prepare_classes(job: JobConfig, pair_jobs: Sequence[PairJob]) -> PreparedClasses:
    """Read the cohort once, and prepare the job of every two classes and that of all.

    Parameters
    ----------
    job, pair_jobs
        The job, and what `plan_pairs` makes of it.

    Raises
    ------
    ResponderError
        Anything the user can mend.
    """
    cohort = build_cohort(job.cohort, job.seed)
    pairs = tuple(prepare_job(pair.job, cohort) for pair in pair_jobs)
    labelled, classes = label_classes(job, cohort)
    _refuse_groups_of_classes(job, labelled)
    return PreparedClasses(labelled, classes, pairs)


def plan_pairs(job: JobConfig, out: Path, bundle: Path) -> list[PairJob]:
    """Return the ordinary job of every two classes."""
    names = job.endpoint.classes
    planned = []
    for positive, negative in pairs_of(len(names)):
        endpoint = job.endpoint.of_two(names[positive], names[negative])
        words = f"{endpoint.positive}-{endpoint.negative}"
        pair = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in words)
        config = job.model_copy(update={"name": f"{job.name}-{pair}", "endpoint": endpoint})
        planned.append(PairJob(config, out.with_name(f"{out.name}-{pair}"), bundle / pair))
    if len({pair.out for pair in planned}) < len(planned):
        raise ConfigError("Two pairs of classes would have one folder. Rename classes that differ in signs alone.")
    return planned


def label_classes(job: JobConfig, cohort: AnnData) -> tuple[LabelledCohort, Labels]:
    """Return the subjects of all classes, and the class of each as an index into the endpoint's classes.

    The label of the returned cohort is that of the first class against all others.
    """
    first, *others = job.endpoint.classes
    against_all = job.endpoint.of_two(first, " or ".join(others)).model_copy(update={"negative_values": tuple(others)})
    labelled = combine_samples(label_cohort(*with_composition(cohort, build_endpoint(against_all))))
    sheet = cohort.obs[rows_where(cohort.obs, job.endpoint.among)] if job.endpoint.among else cohort.obs
    values = sheet[job.endpoint.column].astype(str)
    code_of = {match_word(name, sorted(set(values))): code for code, name in enumerate(job.endpoint.classes)}
    # Rows with another value, which `label_cohort` has left out, say nothing about a subject.
    by_subject = values.map(code_of).groupby(sheet["subject"].astype(str)).first()
    return labelled, by_subject.loc[list(labelled.subjects)].to_numpy(dtype=np.int8)


def _refuse_groups_of_classes(job: JobConfig, labelled: LabelledCohort) -> None:
    """Refuse a builder that takes groups of reference by the column of the classes: all of these are exchanged."""
    context, column = context_of(labelled), labelled.endpoint.column
    sheets = {name: getattr(context, name).drop(columns=column) for name in ("sheet", "outside_sheet")}
    for candidate in build_candidates(job):
        try:
            candidate.builder.check(replace(context, **sheets))
        except FeatureError as problem:
            raise FeatureError(
                f"Builder '{candidate.builder_name}' does not go with several classes: all values of '{column}' are exchanged when "
                f"they are tested together, and none is left for reference. Leave it out, or compare two classes. ({problem})"
            ) from problem

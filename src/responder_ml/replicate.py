"""Will it be found again, and was it? What a second study should see of the first one's changes, and what it does see.

No model is trained but the one that a run folder stands for. Everything is set beside its value with no true effect and its
value if the true changes of both studies are the same.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from anndata import AnnData

from responder_ml.arrays import Indices
from responder_ml.build import (
    build_candidates,
    build_cohort,
    build_null_plan,
    build_search_plan,
    build_workers,
    prepare_job,
)
from responder_ml.cohort.audit import require_accepted
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.expression_files import list_files
from responder_ml.cohort.shared_subjects import match_subjects
from responder_ml.config import JobConfig, load_config
from responder_ml.contrasts.called_again import CallRule
from responder_ml.errors import ConfigError, ResponderError, RunError, list_names
from responder_ml.evaluation.class_model import ClassModel
from responder_ml.evaluation.replication import Replication, compare_studies, expect_replication
from responder_ml.evaluation.small_n import LEAST_SUBJECTS
from responder_ml.evaluation.transfer import TransferPlan, TransferRow, transfer
from responder_ml.progress import Progress
from responder_ml.records.digests import data_digest, sample_digests
from responder_ml.records.files import named_folder
from responder_ml.records.replication import REPLICATION_FOLDER, ReplicationRun, StudyPart, write_replication
from responder_ml.records.replication_outcome import ReplicationPlan, compose_replication, replication_tables
from responder_ml.records.run import Run, read_run
from responder_ml.report.replication import render_replication
from responder_ml.sets import nuisances_in_model


@dataclass(frozen=True)
class SecondPlan:
    """A second study that has not been done.

    Attributes
    ----------
    size
        Its subjects, positive and negative; None for as many as in the first.
    shared_control
        Subjects of the negative class that are in both.
    """

    size: tuple[int, int] | None = None
    shared_control: int = 0


@dataclass(frozen=True)
class StudySource:
    """A study to start from: its job, and its run where it was trained.

    Attributes
    ----------
    job
        Configuration of two classes.
    run
        The run; None where the job alone is named.
    """

    job: JobConfig
    run: Run | None = None

    @classmethod
    def read(cls, path: Path) -> "StudySource":
        """Read a job, or a run folder with the job in it.

        Raises
        ------
        ConfigError, RunError
            Neither can be read.
        """
        if not path.is_dir():
            return cls(load_config(path))
        run = read_run(path)
        return cls(load_config(path / "config.yaml"), run)


@dataclass(frozen=True)
class PreparedStudy:
    """A study whose data have been read.

    Attributes
    ----------
    job
        Its configuration.
    cohort
        Its samples as they were read.
    labelled
        One row per subject.
    model
        The linear model.
    """

    job: JobConfig
    cohort: AnnData
    labelled: LabelledCohort
    model: ClassModel

    @classmethod
    def read(cls, job: JobConfig) -> "PreparedStudy":
        """Read, audit and normalise a study.

        Raises
        ------
        ResponderError
            Anything the user can mend.
        """
        cohort = build_cohort(job.cohort, job.seed)
        prepared = prepare_job(job, cohort)
        require_accepted(prepared.findings, job.accept)
        return cls(job, cohort, prepared.labelled, ClassModel.of(prepared.labelled))

    @property
    def sizes(self) -> tuple[int, int]:
        """Subjects of the positive and the negative class."""
        positive = int(self.labelled.labels.sum())
        return positive, len(self.labelled.labels) - positive

    @property
    def part(self) -> StudyPart:
        """What the record says of it."""
        held_constant, not_held_constant = nuisances_in_model(self.job)
        return StudyPart(
            name=self.job.name,
            simulated=bool(self.labelled.cohort.uns.get("simulated", False)),
            positive=self.labelled.endpoint.positive,
            negative=self.labelled.endpoint.negative,
            n_positive=self.sizes[0],
            n_negative=self.sizes[1],
            genes=len(self.model.names),
            taken=self.job.cohort.tissue_taken,
            adjusted=held_constant,
            not_adjusted=not_held_constant,
        )


def replicate(
    first: StudySource,
    second: JobConfig | None,
    out: Path,
    *,
    planned: SecondPlan | None = None,
    rule: CallRule | None = None,
    progress: Progress | None = None,
) -> ReplicationRun:
    """Say what a second study should see, and what one sees, and write the folder.

    Parameters
    ----------
    first
        The first study.
    second
        Job of the second study; None where none has been done.
    out
        Folder to write.
    planned
        The second study that has not been done; not beside ``second``.
    rule
        When a gene is called changed; by default p <= 0.05 and a factor of 1.3, which is not verified.
    progress
        Is told about long work.

    Raises
    ------
    ResponderError
        Anything the user can mend; nothing is left half-written.
    """
    progress, rule = progress or Progress(), rule or CallRule()
    REPLICATION_FOLDER.check(out)
    check_options(first.job, second, planned, rule)
    one = PreparedStudy.read(first.job)
    if first.run is not None and first.run.result.data_sha256 != data_digest(one.labelled):
        raise RunError(
            f"The data of {first.job.name} are not those of its run: they have changed since. Train it again, or name the job."
        )
    two = None if second is None else PreparedStudy.read(second)
    notes: list[str] = []
    carried: TransferRow | str | None = None
    with progress.stage("Replication") as on_progress:
        if two is None:
            sizes = (planned.size if planned else None) or one.sizes
            outcome = _expect(one, sizes, planned.shared_control if planned else 0, rule)
        else:
            sizes = two.sizes
            partner, notes = match_animals(one, two)
            outcome = compare_studies(one.model, two.model, partner, rule, one.job.seed)
        on_progress(1, 1, "")
    if two is not None and first.run is not None:
        carried = _carry(one, two, outcome.n_shared, progress)
    result = compose_replication(
        outcome,
        (one.part, None if two is None else two.part),
        ReplicationPlan(sizes, rule, first.job.null.alpha, first.job.seed),
        None if first.run is None else first.run.result.headline,
        carried,
        notes,
    )
    options = {
        "second_size": list(sizes),
        "shared_subjects": outcome.n_shared,
        "p": rule.p,
        "least_change": rule.least_change,
    }
    jobs = {"first": first.job.resolved(), "second": None if second is None else second.resolved()}
    run = ReplicationRun(result, replication_tables(result, outcome, rule), {**jobs, "options": options})
    write_replication(run, render_replication(run), out)
    return run


def default_folder(
    first: StudySource, second: JobConfig | None, planned: SecondPlan | None = None, rule: CallRule | None = None
) -> Path:
    """Return the folder, named after the first job and a digest of what the answer depends on."""
    chosen, plan = rule or CallRule(), planned or SecondPlan()
    jobs = [first.job.resolved(), None if second is None else second.resolved(), first.run is not None]
    options = [plan.size, plan.shared_control, chosen.p, chosen.least_change]
    return named_folder("replications", first.job.name, [*jobs, *options])


def read_size(text: str) -> tuple[int, int]:
    """Return the two numbers of ``8,8``.

    Raises
    ------
    ConfigError
        It is anything else.
    """
    try:
        positive, negative = (int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            f"--second-size is '{text}'. Give the subjects of the positive and of the negative class, such as 8,8."
        ) from None
    return positive, negative


def check_options(first: JobConfig, second: JobConfig | None, planned: SecondPlan | None, rule: CallRule) -> None:
    """Refuse what cannot be asked, before any data are read.

    Raises
    ------
    ConfigError
        A job of other than two classes, or an option that is out of range or contradicts another.
    """
    for job in (first, second):
        if job is not None:
            job.endpoint.require_two_classes(f"A replication of {job.name}")
    if second is not None and planned is not None:
        raise ConfigError(
            "--second-size and --shared-control describe a second study that has not been done. Remove them, or the second job."
        )
    if planned is not None and planned.size is not None and min(planned.size) < LEAST_SUBJECTS:
        raise ConfigError(
            f"--second-size is {planned.size[0]},{planned.size[1]}, but at least {LEAST_SUBJECTS} subjects of each class are "
            "needed. Give two larger numbers, such as 8,8."
        )
    if planned is not None and planned.shared_control < 0:
        raise ConfigError(f"--shared-control is {planned.shared_control}. Give 0 or more subjects.")
    if not 0.0 < rule.p <= 1.0:
        raise ConfigError(f"--call-p is {rule.p:g}. Give a number above 0 and at most 1; 0.05 is usual.")
    if not 0.0 <= rule.least_change < float("inf"):
        raise ConfigError(f"--least-change is {rule.least_change:g}. Give a log2 change of 0 or more, such as 0.5.")


def _expect(one: PreparedStudy, sizes: tuple[int, int], shared_control: int, rule: CallRule) -> Replication:
    if shared_control > min(one.sizes[1], sizes[1]):
        raise ConfigError(
            f"--shared-control is {shared_control}, but the studies have {one.sizes[1]} and {sizes[1]} subjects of the negative "
            "class. Give no more than either has."
        )
    return expect_replication(one.model, sizes, shared_control, rule, one.job.seed)


def match_animals(one: PreparedStudy, two: PreparedStudy) -> tuple[Indices, list[str]]:
    """Find the subjects that are in both studies, and say what else looks alike.

    Samples of equal values are of one subject. Names count only where both jobs read a file in common, or such samples have the
    same ones.

    Raises
    ------
    ConfigError
        Both jobs compare the same subjects of the same data.
    """
    name_of = dict(zip(sample_digests(two.cohort), two.cohort.obs["subject"].astype(str), strict=True))
    samples = zip(sample_digests(one.cohort), one.cohort.obs["subject"].astype(str), strict=True)
    equal = sorted({(name, name_of[sample]) for sample, name in samples if sample in name_of})
    same_names = bool(equal) and all(name == other for name, other in equal)
    same_data = same_names or bool(_sources(one.job) & _sources(two.job))
    names, others = one.labelled.subjects, two.labelled.subjects
    partner = match_subjects(names, others, same_data, equal)
    if data_digest(one.labelled) == data_digest(two.labelled):
        raise ConfigError(
            f"{one.job.name} and {two.job.name} compare the same subjects of the same data: a study does not replicate itself. "
            "Name a second study, or none."
        )
    shared, alike, notes = int((partner >= 0).sum()), sorted(set(names) & set(others)), []
    if shared:
        notes.append(
            f"{shared} subjects are in both studies. Their noise is in both signatures: it is taken out of the correlation of true "
            "changes, and is the correlation to expect with no effect. No p is given: these studies cannot be relabelled apart."
        )
    elif alike and not same_data:
        notes.append(
            f"{len(alike)} names of subjects are in both studies ({list_names(alike)}), whose data differ: they are taken for "
            "different animals. If they are the same, put both studies into one file."
        )
    return partner, notes


def _sources(job: JobConfig) -> set[str]:
    """Return digests of the files of a job, or what its simulation depends on."""
    cohort = job.cohort
    if cohort.source == "simulated":
        return {repr(sorted({"seed": job.seed, **cohort.params}.items()))}
    files = [] if cohort.expression is None else list_files(cohort.expression)
    files += [] if cohort.samples is None else [cohort.samples]
    return {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _carry(one: PreparedStudy, two: PreparedStudy, n_shared: int, progress: Progress) -> TransferRow | str:
    """Return how the first job's procedure does on the second study, or why it was not carried over."""
    if n_shared:
        return "The model was not carried over: subjects are in both studies."
    if any(side.job.endpoint.pairs or side.job.endpoint.adjust or side.job.endpoint.block for side in (one, two)):
        return "The model was not carried over: `transfer` takes neither pairs nor covariates nor blocks."
    job = one.job
    plan = TransferPlan(build_candidates(job), build_search_plan(job), build_null_plan(job), build_workers(job.compute))
    try:
        with progress.stage("Carried model") as on_progress:
            row = transfer(one.labelled, two.labelled, plan, ("first study", "second study"))
            on_progress(1, 1, "")
    except ResponderError as problem:
        return f"The model was not carried over: {problem}"
    return row

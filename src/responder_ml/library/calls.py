"""The public functions: each does what the command of the same name does, on objects in place of files where there are any."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from responder_ml.config import JobConfig
from responder_ml.library.classes import Classes
from responder_ml.library.graded import Graded
from responder_ml.library.jobs import JobSource, make_job
from responder_ml.library.model import Model, Samples, load_bundle
from responder_ml.library.run import Run
from responder_ml.progress import Progress

Folder: TypeAlias = str | os.PathLike[str]

if TYPE_CHECKING:
    from anndata import AnnData

    from responder_ml.compare import Comparison
    from responder_ml.library.claims import Claims
    from responder_ml.plan import PowerAnalysis
    from responder_ml.records.sets import SetsRun
    from responder_ml.records.study import Study
    from responder_ml.study_config import StudyConfig


def train(
    source: JobSource,
    *,
    out: Folder | None = None,
    bundle: Folder | None = None,
    track: bool = False,
    progress: bool = False,
    **sections: Any,
) -> Run | Classes | Graded:
    """Search, test against relabelled subjects, explain, refit, and write a run folder and a bundle.

    Parameters
    ----------
    source
        Path of a job's YAML file, a `Job`, or an AnnData of samples x genes with the sample sheet in ``obs``.
    out, bundle
        Folders of the run and of the model; ``runs/NAME-DIGEST`` and ``models/NAME`` by default. An AnnData is written beside the
        run folder, so that the run can be repeated from its files.
    track
        Send the run to the job's MLflow store.
    progress
        Show progress bars.
    **sections
        Keys of a job (``endpoint``, ``builders``, ``null``, ``seed``, ...), in place of those of ``source``. With an AnnData
        ``endpoint`` is needed, and ``units``, ``columns`` and ``where`` say how to read it.

    Returns
    -------
    Run, Classes or Graded
        What was found; `Classes` for an endpoint with ``classes``, `Graded` for one with ``kind: score``.

    Raises
    ------
    ResponderError
        Anything the user can mend; nothing is left half-written.
    """
    from responder_ml.train import default_folders, record
    from responder_ml.train import train as train_job

    job = make_job(source, sections, Path("runs") if out is None else Path(out).parent)
    run_folder, bundle_folder = default_folders(job)
    run_folder = run_folder if out is None else Path(out)
    bundle_folder = bundle_folder if bundle is None else Path(bundle)
    if job.endpoint.kind == "classes":
        return _train_classes(job, run_folder, bundle_folder, track=track, progress=progress)
    if job.endpoint.kind == "score":
        from responder_ml.train_graded import record_graded, train_graded

        graded = train_graded(job, run_folder, bundle_folder, _progress(progress))
        if track:
            record_graded(job, graded, run_folder, bundle_folder, _progress(progress))
        return Graded(graded, run_folder, bundle_folder)
    finished = train_job(job, run_folder, bundle_folder, _progress(progress))
    if track:
        record(job, finished, run_folder, bundle_folder, _progress(progress))
    return Run(finished, run_folder, bundle_folder)


def _train_classes(job: JobConfig, out: Path, bundle: Path, *, track: bool, progress: bool) -> Classes:
    from responder_ml.train_classes import record_classes, train_classes

    finished = train_classes(job, out, bundle, _progress(progress))
    if track:
        record_classes(job, finished, out, bundle, _progress(progress) or Progress())
    return Classes(finished, out, bundle)


def load_run(folder: Folder, bundle: Folder | None = None) -> Run | Classes | Graded:
    """Read a run, or a training of several classes or on a graded outcome, back.

    Parameters
    ----------
    folder
        Run folder that `train` or the command wrote.
    bundle
        Folder of its model, for ``run.model``.

    Raises
    ------
    RunError
        The folder is missing, incomplete or from a newer version.
    """
    from responder_ml.records import classes, graded
    from responder_ml.records.run import read_run

    path, models = Path(folder), None if bundle is None else Path(bundle)
    if (path / classes.ANSWER).is_file():
        return Classes(classes.read_classes(path), path, models)
    if (path / graded.ANSWER).is_file():
        return Graded(graded.read_graded(path), path, models)
    return Run(read_run(path), path, models)


def score(bundle: Model | Folder, samples: Samples, **options: Any) -> pd.DataFrame:
    """Score new samples with a model; see `Model.score`."""
    model = bundle if isinstance(bundle, Model) else load_bundle(bundle)
    return model.score(samples, **options)


def claims(source: JobSource, *, progress: bool = False, **sections: Any) -> "Claims":
    """Test the founding study's claims by region and drug.

    Parameters
    ----------
    source, progress, **sections
        As for `train`; ``cohort.where`` must leave in the regions and groups to be compared.

    Raises
    ------
    ResponderError
        The configuration, the cohort or its groups do not allow the claims to be evaluated.
    """
    from responder_ml.claims import claims as evaluate
    from responder_ml.library.claims import Claims

    return Claims(evaluate(make_job(source, sections, Path("claims")), _progress(progress)))


def sets(
    source: JobSource,
    files: Sequence[Folder] = (),
    *,
    out: Folder | None = None,
    progress: bool = False,
    rotations: int | None = None,
    correlation: float | None = None,
    **sections: Any,
) -> "SetsRun":
    """Test gene sets on all subjects: which differ between the classes, and which more than other genes do.

    Parameters
    ----------
    source, progress, **sections
        As for `train`.
    files
        GMT files; those of the job's ``gene_sets`` builders by default.
    out
        Folder to write; ``sets/NAME-DIGEST`` by default.
    rotations
        Random rotations; the smallest p is one over their number plus one.
    correlation
        Correlation between the genes of a set that camera takes; estimated for each set by default.

    Returns
    -------
    SetsRun
        ``result.sentence``, and one row for each set in ``tables["sets"]``.

    Raises
    ------
    ResponderError
        Anything the user can correct; nothing is left half-written.
    """
    from responder_ml.sets import default_folder
    from responder_ml.sets import sets as test_sets

    job = make_job(source, sections, Path("sets"))
    options = {} if rotations is None else {"rotations": rotations}
    return test_sets(
        job,
        default_folder(job) if out is None else Path(out),
        [Path(file) for file in files],
        correlation=correlation,
        progress=_progress(progress),
        **options,
    )


def study(source: "StudyConfig | Folder", *, out: Folder | None = None, progress: bool = False) -> "Study":
    """Analyse many jobs together, with one correction over all of them, and write a study folder.

    Parameters
    ----------
    source
        Path of a study's YAML file, or a `StudyConfig`.
    out
        Folder of the study; ``studies/NAME-DIGEST`` by default.
    progress
        Show progress bars.

    Raises
    ------
    ResponderError
        Anything the user can correct; nothing is left half-written.
    """
    from responder_ml.study import default_folder
    from responder_ml.study import study as run_grid
    from responder_ml.study_config import StudyConfig, load_study

    config = source if isinstance(source, StudyConfig) else load_study(Path(source))
    return run_grid(config, default_folder(config) if out is None else Path(out), _progress(progress))


def compare(runs: Iterable[Run | Folder]) -> "Comparison":
    """Rank runs in one table, and test their differences where they share subjects and folds.

    Parameters
    ----------
    runs
        Runs, or run folders.

    Raises
    ------
    RunError
        A folder is not a run, or is listed twice.
    """
    from responder_ml.compare import compare as compare_folders

    return compare_folders([run.folder if isinstance(run, Run) else Path(run) for run in runs])


def plan(
    positive: int | None = None,
    negative: int | None = None,
    *,
    strata: Sequence[tuple[int, int]] | None = None,
    job: JobSource | None = None,
    **options: Any,
) -> "PowerAnalysis":
    """Say what class sizes allow, how many subjects a target power needs, or both.

    Parameters
    ----------
    positive, negative, strata
        Subjects of both classes, in all or in each stratum.
    job
        Path of a job or a `Job` whose cohort has the class sizes, in place of these.
    **options
        ``aurocs``, ``target_power`` and ``alpha`` of `responder_ml.plan.plan`.

    Raises
    ------
    ResponderError
        The numbers are impossible, or the job's cohort cannot be used.
    """
    from responder_ml.plan import plan as plan_sizes

    read = None if job is None else make_job(job, {}, Path("runs"))
    return plan_sizes(positive, negative, strata=strata, job=read, **options)


def simulate(*, seed: int = 7, **params: Any) -> "AnnData":
    """Simulate a cohort with the founding study's design; results on it are no findings about animals.

    Parameters
    ----------
    seed
        Seed of animals, libraries, runs and noise.
    **params
        Those of `responder_ml.cohort.simulate.simulate_cohort`, such as ``effect``, ``n_genes`` and ``regions``.

    Raises
    ------
    CohortError
        A parameter is outside its range.
    """
    from responder_ml.cohort.simulate import simulate_cohort

    return simulate_cohort(seed=seed, **params)


def _progress(shown: bool) -> "Progress | None":
    if not shown:
        return None
    from rich.console import Console

    from responder_ml.commands.console import ProgressBar

    return ProgressBar(Console(stderr=True))

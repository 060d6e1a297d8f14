"""Track: send a finished run to MLflow, with the bundle that belongs to it, whatever it was asked; or a finished study."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from responder_ml.bundles.class_bundle import is_class_bundle, read_class_bundle
from responder_ml.bundles.graded_bundle import is_graded, read_graded_bundle
from responder_ml.bundles.manifest import MANIFEST, describe_training, read_manifest
from responder_ml.errors import BundleError, TrackingError
from responder_ml.records.classes import ANSWER as CLASSES_ANSWER
from responder_ml.records.classes import ClassesRun, read_classes
from responder_ml.records.graded import ANSWER as GRADED_ANSWER
from responder_ml.records.graded import GradedRun, read_graded
from responder_ml.records.run import Run, read_run
from responder_ml.records.study import ANSWER, read_study
from responder_ml.tracking.classes_record import send_classes
from responder_ml.tracking.graded_record import send_graded
from responder_ml.tracking.mlflow import send
from responder_ml.tracking.optuna_studies import write_studies
from responder_ml.tracking.study_record import send_study
from responder_ml.train import SERVING


@dataclass(frozen=True)
class Tracked:
    """What was sent.

    Attributes
    ----------
    run_id
        MLflow's id of the run.
    bundle
        Folder of the bundle that was sent with it; None for none.
    lacks_bundle
        Whether a run was sent without its bundle; a study has none.
    """

    run_id: str
    bundle: Path | None = None
    lacks_bundle: bool = False


def track(
    folder: Path,
    bundle: Path | None = None,
    *,
    uri: str | None = None,
    experiment: str | None = None,
    register: bool = False,
    anyway: bool = False,
) -> Tracked:
    """Send a run, a training of several classes or on a graded outcome, or a study to a tracking store; none is sent twice.

    Parameters
    ----------
    folder
        Folder that ``train`` or ``study`` wrote.
    bundle
        The run's bundle, ``models/NAME`` by default where that belongs to this run; a study has none.
    uri, experiment
        Store and experiment, by default those of the job or study.
    register
        Whether to register the bundle as an MLflow model.
    anyway
        Whether to register it also where the run gave no evidence.

    Raises
    ------
    RunError
        The folder is none of these.
    BundleError
        The bundle is broken or belongs to another run, or is to be registered though the run gave no evidence.
    TrackingError
        The store cannot be reached or used, or there is no bundle to register.
    """
    if (folder / ANSWER).is_file():
        study = read_study(folder)
        return Tracked(send_study(study, folder, **_store(study.config["job"], uri, experiment)))
    if (folder / CLASSES_ANSWER).is_file():
        return _track_classes(read_classes(folder), folder, bundle, uri, experiment, register=register)
    if (folder / GRADED_ANSWER).is_file():
        return _track_graded(read_graded(folder), folder, bundle, uri, experiment, register=register)
    run = read_run(folder)
    bundle = _usual_bundle(run) if bundle is None else _own_bundle(bundle, run)
    store = _store(run.config, uri, experiment)
    run_id = send(run, folder, bundle, loader=SERVING, register=register, anyway=anyway, **store)
    return Tracked(run_id, bundle, lacks_bundle=bundle is None)


def _store(config: Mapping[str, Any], uri: str | None, experiment: str | None) -> dict[str, str | None]:
    """Return store and experiment as asked for, or else as the job names them."""
    own = config.get("tracking") or {}
    return {"uri": uri or own.get("uri"), "experiment": experiment or own.get("experiment")}


def _track_classes(
    run: ClassesRun, folder: Path, bundle: Path | None, uri: str | None, experiment: str | None, *, register: bool
) -> Tracked:
    if register:
        raise TrackingError(
            f"{folder} has a model for every two classes. Register that of two: give the folder of their run, and --bundle."
        )

    def belongs(models: Path) -> bool:
        return read_class_bundle(models).manifest.training == run.result.training()

    bundle = _bundle_of(run.name, bundle, is_class_bundle, belongs)
    store = _store(run.config, uri, experiment)
    return Tracked(send_classes(run, folder, bundle, loader=SERVING, **store), bundle, lacks_bundle=bundle is None)


def _track_graded(
    run: GradedRun, folder: Path, bundle: Path | None, uri: str | None, experiment: str | None, *, register: bool
) -> Tracked:
    if register:
        raise TrackingError(
            f"{folder} predicts a graded outcome, and only models of two classes are registered with MLflow. Leave out --register: "
            "the bundle is sent with the run, as its artifact."
        )

    def belongs(model: Path) -> bool:
        return read_graded_bundle(model).manifest.training == run.result.training()

    bundle = _bundle_of(run.name, bundle, is_graded, belongs)
    store = _store(run.config, uri, experiment)
    return Tracked(send_graded(run, folder, bundle, **store), bundle, lacks_bundle=bundle is None)


def _bundle_of(
    name: str, bundle: Path | None, is_bundle: Callable[[Path], bool], belongs: Callable[[Path], bool]
) -> Path | None:
    """Return the bundle that was named, which must be this training's, or else ``models/NAME`` where that is it."""
    if bundle is None:
        usual = Path("models") / name
        return usual if is_bundle(usual) and belongs(usual) else None
    if not belongs(bundle):
        raise BundleError(f"{bundle} belongs to another training than {name}'s. Give the bundle it wrote.")
    return bundle


def write_optuna(folder: Path, path: Path) -> tuple[str, ...]:
    """Write the tuning of a finished run as Optuna studies; parameters and errors as for `write_studies`."""
    return write_studies(read_run(folder), path)


def _usual_bundle(run: Run) -> Path | None:
    """Return ``models/NAME`` where it is the bundle of this run."""
    folder = Path("models") / run.name
    return folder if (folder / MANIFEST).is_file() and _belongs(folder, run) else None


def _own_bundle(bundle: Path, run: Run) -> Path:
    if not _belongs(bundle, run):
        raise BundleError(f"{bundle} belongs to another run than {run.name}'s. Give the bundle that this run wrote.")
    return bundle


def _belongs(bundle: Path, run: Run) -> bool:
    manifest = read_manifest(bundle)
    return bool(manifest.name == run.name and manifest.training == describe_training(run.result.content()))

"""Deliver: send a finished run to MLflow, with the bundle that belongs to it, or a finished study."""

from dataclasses import dataclass
from pathlib import Path

from responder_ml.bundles.manifest import MANIFEST, describe_training, read_manifest
from responder_ml.errors import BundleError
from responder_ml.records.run import Run, read_run
from responder_ml.records.study import read_study
from responder_ml.tracking.mlflow import send, send_study
from responder_ml.train import SERVING


@dataclass(frozen=True)
class Delivery:
    """What was sent: MLflow's id of the run, and the bundle's folder, None for none."""

    run_id: str
    bundle: Path | None


def deliver(
    folder: Path,
    bundle: Path | None = None,
    *,
    uri: str | None = None,
    experiment: str | None = None,
    register: bool = False,
) -> Delivery:
    """Send a run folder to a tracking store; one that is there already is not doubled.

    Parameters
    ----------
    folder
        Run folder.
    bundle
        Its bundle. If not given, ``models/NAME`` where that is this run's.
    uri, experiment
        Store and experiment, the job's own if not given.
    register
        Whether to register the bundle as an MLflow model.

    Raises
    ------
    RunError
        The folder is not a run.
    BundleError
        The bundle given is broken or another run's.
    TrackingError
        The store cannot be reached or used, or there is no bundle to register.
    """
    run = read_run(folder)
    bundle = _bundle_of(run, bundle)
    own = run.config.get("tracking") or {}
    run_id = send(
        run,
        folder,
        bundle,
        loader=SERVING,
        uri=uri or own.get("uri"),
        experiment=experiment or own.get("experiment"),
        register=register,
    )
    return Delivery(run_id, bundle)


def deliver_study(folder: Path, *, uri: str | None = None, experiment: str | None = None) -> Delivery:
    """Send a study's folder to a tracking store; one that is there already is not doubled.

    Parameters
    ----------
    folder
        Folder that ``study`` wrote.
    uri, experiment
        Store and experiment, the study's own if not given.

    Raises
    ------
    RunError
        The folder is not a study.
    TrackingError
        The store cannot be reached or used.
    """
    found = read_study(folder)
    own = found.config["job"].get("tracking") or {}
    run_id = send_study(found, folder, uri=uri or own.get("uri"), experiment=experiment or own.get("experiment"))
    return Delivery(run_id, None)


def _bundle_of(run: Run, given: Path | None) -> Path | None:
    usual = Path("models") / run.name
    if given is None:
        return usual if (usual / MANIFEST).is_file() and _belongs(usual, run) else None
    if not _belongs(given, run):
        raise BundleError(f"{given} was made by another run than {run.name}'s. Give the bundle this run wrote.")
    return given


def _belongs(bundle: Path, run: Run) -> bool:
    manifest = read_manifest(bundle)
    return bool(manifest["name"] == run.name and manifest["training"] == describe_training(run.result))

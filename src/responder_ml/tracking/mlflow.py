"""Send runs, studies and their like to MLflow; only this file and `served_model` import it."""

import getpass
import hashlib
import json
import logging
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from responder_ml.bundles.worth import Worth
from responder_ml.errors import TrackingError
from responder_ml.masking import hide_secrets
from responder_ml.records.run import Run
from responder_ml.tracking.environment import FIRST_CONTACT, QUIET, TRANSFER, environment, unless_set
from responder_ml.tracking.items import Artifact, DatasetInput, Metric, Param, Record, Tag
from responder_ml.tracking.run_records import candidate_records, job_record
from responder_ml.tracking.served_model import plain_name, register_model, send_model
from responder_ml.tracking.store import (
    DEFAULT_EXPERIMENT,
    artifact_folder,
    check_store,
    free_name,
    resolve_store,
    sqlite_file,
)
from responder_ml.tracking.store_lock import patient_address, sole_maker, sole_writer
from responder_ml.tracking.views import EXPERIMENT_NOTE, saved_views

# The most that one call of MLflow's batch interface takes.
_MOST_METRICS, _MOST_PARAMS, _MOST_TAGS = 1000, 100, 100
_RUN_DIGEST = "run_sha256"
_PARENT = "mlflow.parentRunId"
_MOST_CHARACTERS = 300


def send(
    run: Run,
    folder: Path,
    bundle: Path | None,
    *,
    loader: str,
    uri: str | None = None,
    experiment: str | None = None,
    register: bool = False,
    anyway: bool = False,
    parent: str | None = None,
) -> str:
    """Send a run with its candidates, files and bundle; return MLflow's id of the run.

    A run that was sent before is not duplicated: its files are sent again and its id is returned. A copy that an earlier
    call could not finish is deleted (MLflow keeps deleted runs until ``mlflow gc``).

    Parameters
    ----------
    run
        The run.
    folder
        Its folder.
    bundle
        Folder of its bundle, logged as an MLflow model; None for none.
    loader
        Importable module whose ``_load_pyfunc(path)`` serves the bundle.
    uri
        Tracking URI; None takes MLFLOW_TRACKING_URI, then ``sqlite:///mlflow.db``.
    experiment
        Name of the experiment; None takes "responder_ml", where jobs of all regions can be compared.
    register
        Whether to register the bundle under the job's name.
    anyway
        Whether to register it also where the run gave no evidence.
    parent
        MLflow's id of the row that the run is shown below; None for none.

    Raises
    ------
    BundleError
        It is to be registered, and the run gave no evidence.
    TrackingError
        The store cannot be reached or used. The run folder is unchanged; send it again later.
    """
    if register and bundle is None:
        raise TrackingError(f"{run.name} was sent without a bundle, so there is nothing to register. Give its folder.")
    if register:
        Worth.of(run.result.content()).require_evidence(run.name, anyway=anyway, action="register it")
    job, candidates = job_record(run, folder), tuple(candidate_records(run))
    digest, seconds = _digest(run.result.content()), run.result.timings.get("total_s", 0.0)
    with _open_store(uri, experiment) as sender:
        end = _ended(folder / "result.json")
        run_id = sender.send_records(job, candidates, digest, end - int(1000 * seconds), end, parent)
        if bundle is not None:
            model_id = send_model(sender.client, sender.experiment_id, run_id, run, bundle, loader)
            if register:
                register_model(sender.client, model_id, run_id, run)
        sender.finish(run_id, end)
    return run_id


def send_answer(
    record: Record,
    children: Sequence[Record],
    answer: Path,
    content: Mapping[str, Any],
    *,
    uri: str | None = None,
    experiment: str | None = None,
) -> str:
    """Send the record of a folder that is no single run, with child rows; return MLflow's id of it.

    One that was sent before is not duplicated, as with `send`.

    Parameters
    ----------
    record, children
        The row, and those below it.
    answer
        The folder's JSON file.
    content
        What it holds.
    uri, experiment
        As for `send`.

    Raises
    ------
    TrackingError
        The store cannot be reached or used. The folder is unchanged.
    """
    with _open_store(uri, experiment) as sender:
        end = _ended(answer)
        begin = end - int(1000 * content["timings"].get("total_s", 0.0))
        run_id = sender.send_records(record, children, _digest(content), begin, end)
        sender.finish(run_id, end)
    return run_id


@dataclass(frozen=True)
class _Sender:
    """A client with the id of its experiment."""

    client: Any
    experiment_id: str

    def send_records(
        self,
        record: Record,
        children: Sequence[Record],
        digest: str,
        begin: int,
        end: int,
        parent: str | None = None,
    ) -> str:
        """Send a row and its child rows; the row itself stays open."""
        run_id = self._finished_copy(digest)
        if run_id is None:
            named = replace(record, name=free_name(self.client, self.experiment_id, record.name))
            below = {} if parent is None else {_PARENT: parent}
            run_id = self._create(named, begin, {_RUN_DIGEST: digest, **below})
            for child_record in children:
                child = self._create(child_record, begin, {_PARENT: run_id})
                self.client.set_terminated(child, end_time=end)
        for item in record.items:
            if isinstance(item, Artifact):
                self._upload(run_id, item)
        return run_id

    def finish(self, run_id: str, end: int) -> None:
        """Close a row, which marks it as complete."""
        self.client.set_terminated(run_id, end_time=end)

    def _finished_copy(self, digest: str) -> str | None:
        """Return the run that was sent completely before; delete incomplete copies."""
        finished = None
        for copy in self.client.search_runs([self.experiment_id], f"tags.{_RUN_DIGEST} = '{digest}'"):
            if copy.info.status == "FINISHED":
                finished = str(copy.info.run_id)
                continue
            for child in self.client.search_runs([self.experiment_id], f"tags.{_PARENT} = '{copy.info.run_id}'"):
                self.client.delete_run(child.info.run_id)
            self.client.delete_run(copy.info.run_id)
        return finished

    def _create(self, record: Record, begin: int, extra: Mapping[str, str]) -> str:
        """Create a run and write all of its items but the files."""
        from mlflow import entities

        system = {
            "mlflow.note.content": record.description,
            "mlflow.source.name": "responder_ml",
            "mlflow.source.type": "LOCAL",
            "mlflow.user": _user(),
        }
        created = self.client.create_run(
            self.experiment_id, start_time=begin, tags={**system, **extra}, run_name=record.name
        )
        run_id = str(created.info.run_id)
        now = int(time.time() * 1000)
        metrics = [entities.Metric(i.key, i.value, now, i.step) for i in record.items if isinstance(i, Metric)]
        params = [entities.Param(i.key, i.value) for i in record.items if isinstance(i, Param)]
        tags = [entities.RunTag(i.key, i.value) for i in record.items if isinstance(i, Tag)]
        for part in _chunks(params, _MOST_PARAMS):
            self.client.log_batch(run_id, params=part)
        for part in _chunks(tags, _MOST_TAGS):
            self.client.log_batch(run_id, tags=part)
        for part in _chunks(metrics, _MOST_METRICS):
            self.client.log_batch(run_id, metrics=part)
        datasets = [_dataset(item) for item in record.items if isinstance(item, DatasetInput)]
        if datasets:
            self.client.log_inputs(run_id, datasets)
        return run_id

    def _upload(self, run_id: str, item: Artifact) -> None:
        if item.path.is_dir():
            self.client.log_artifacts(run_id, str(item.path), "/".join(filter(None, (item.folder, item.path.name))))
        else:
            self.client.log_artifact(run_id, str(item.path), item.folder or None)


@contextmanager
def _open_store(uri: str | None, experiment: str | None) -> Iterator[_Sender]:
    """Connect to a store while the block lasts; whatever it fails of is one message."""
    store = resolve_store(uri)
    check_store(store)
    patient = unless_set(TRANSFER)
    first = {**unless_set({**QUIET, **FIRST_CONTACT}), "MLFLOW_TRACKING_URI": patient_address(store)}
    with environment(first), _calm(), _errors_of(store), sole_writer(store):
        sender = _connect(store, experiment or DEFAULT_EXPERIMENT)
        with environment(patient):
            yield sender


def _connect(store: str, experiment: str) -> _Sender:
    with sole_maker(store):
        return _open_experiment(store, experiment)


def _open_experiment(store: str, experiment: str) -> _Sender:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=patient_address(store))
    stored = client.get_experiment_by_name(experiment)
    if stored is None:
        return _Sender(client, _create_experiment(client, store, experiment))
    if stored.lifecycle_stage != "active":
        raise TrackingError(
            f"The experiment '{experiment}' was deleted from {hide_secrets(store, store)}. Restore it "
            f"(mlflow experiments restore --experiment-id {stored.experiment_id}) or choose another name."
        )
    for key, view in saved_views().items():
        if key not in stored.tags:
            client.set_experiment_tag(stored.experiment_id, key, view)
    return _Sender(client, str(stored.experiment_id))


def _create_experiment(client: Any, store: str, experiment: str) -> str:
    file = sqlite_file(store)
    location = None if file is None else (artifact_folder(file) / plain_name(experiment)).as_uri()
    tags = {"mlflow.note.content": EXPERIMENT_NOTE, "mlflow.experimentKind": "custom_model_development"}
    return str(client.create_experiment(experiment, artifact_location=location, tags={**tags, **saved_views()}))


def _ended(answer: Path) -> int:
    """Return when the work ended, in milliseconds; a row sent later still shows that time."""
    return int(answer.stat().st_mtime * 1000)


def _digest(result: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()


def _dataset(item: DatasetInput) -> Any:
    from mlflow import entities

    dataset = entities.Dataset(
        name=item.name,
        digest=item.digest,
        source_type=item.source_type,
        source=json.dumps(item.source),
        profile=json.dumps(item.profile),
    )
    return entities.DatasetInput(dataset, [entities.InputTag("mlflow.data.context", "training")])


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


@contextmanager
def _calm() -> Iterator[None]:
    """Keep the progress of MLflow, and the warnings it and its libraries give each other, off the terminal.

    The traceback that it logs of a failing database is silenced too: the error itself is raised, as one line.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import pyfunc

        logger = logging.getLogger(pyfunc.__name__.partition(".")[0])  # importing MLflow has set its level
        level = logger.level
        logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(level)


@contextmanager
def _errors_of(store: str) -> Iterator[None]:
    """Turn any error of a store into one message."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as problem:
        # What follows these words comes from the layers below, down to the socket.
        said = re.split(r" with exception |\n", str(problem).strip(), maxsplit=1)[0]
        reason = hide_secrets(said, store)[:_MOST_CHARACTERS]
        raise TrackingError(
            f"The run could not be sent to {hide_secrets(store, store)}: {reason}. The run folder is complete; repair the "
            "store and send it with `track`."
        ) from problem

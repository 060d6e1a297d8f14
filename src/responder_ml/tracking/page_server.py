"""The MLflow page of a store: served on this machine, and opened in the browser on a view of what matters."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from threading import Thread
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from responder_ml.errors import TrackingError
from responder_ml.masking import hide_secrets
from responder_ml.tracking.store import (
    DEFAULT_EXPERIMENT,
    artifact_folder,
    check_store,
    resolve_store,
    sqlite_file,
)
from responder_ml.tracking.views import FIRST_VIEW

# A page for one person: no telemetry, no queue of background jobs, no warnings from its libraries.
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
}
_HOST = "127.0.0.1"
_DEFAULT_PORT = 5000
_START_SECONDS = 60.0
_ANSWER_SECONDS = 5.0
_LAST_WORDS_SECONDS = 5.0
# MLflow's processes end within a second when they are told to; what has not ended by then is killed.
_END_SECONDS = 10.0
# What a terminal that closes, a service manager or `kill` sends; Windows has no SIGHUP.
_STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def open_ui(
    uri: str | None,
    port: int | None = None,
    *,
    experiment: str | None = None,
    say: Callable[[str], None] | None = None,
) -> None:
    """Serve the MLflow page of a store and open it in the browser; returns when it is stopped (Ctrl-C, or a signal to end).

    A tracking server has its page already: that is opened, and the call returns.

    Parameters
    ----------
    uri
        Tracking URI; None as in `resolve_store`.
    port
        Port on this machine; None takes MLflow's own.
    experiment
        The experiment to show first; None as in `send`.
    say
        Called with the address; not every machine has a browser.

    Raises
    ------
    TrackingError
        There is no such store, it cannot be read, the port is taken, or the page does not start.
    """
    store = resolve_store(uri)
    name = experiment or DEFAULT_EXPERIMENT
    if store.startswith(("http://", "https://")):
        _show(start_page(store, name), say)
        return
    file = sqlite_file(store)
    if file is not None and not file.exists():
        raise TrackingError(
            f"There is no tracking store {file}. Run `train` here first, or give the store with tracking.uri in the "
            "job (--config) or MLFLOW_TRACKING_URI."
        )
    check_store(store)
    with suppress(KeyboardInterrupt), _stops_interrupt(), served(store, port) as (address, process):
        _show(start_page(address, name), say)
        process.wait()


def start_page(address: str, experiment: str, view: str = FIRST_VIEW) -> str:
    """Return the link to an experiment's table in one of the views that `send` saves.

    Parameters
    ----------
    address
        Of a running server.
    experiment
        Its name; where the server has none of that name, or will not say, the link is to the list of experiments.
    view
        Key of the view.
    """
    query = urlencode({"experiment_name": experiment})
    try:
        with urlopen(f"{address}/api/2.0/mlflow/experiments/get-by-name?{query}", timeout=_ANSWER_SECONDS) as answer:
            experiment_id = json.load(answer)["experiment"]["experiment_id"]
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return f"{address}/#/experiments"
    return f"{address}/#/experiments/{experiment_id}/runs?" + urlencode(
        {"viewStateShareKey": view, "workflowType": "machine_learning"}
    )


@contextmanager
def served(store: str, port: int | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve the page of a resolved store while the block lasts; yield its address and its process.

    However the block ends, no process of the server outlives it.

    Parameters
    ----------
    store
        Resolved URI.
    port
        Port on this machine; None takes MLflow's own.

    Raises
    ------
    TrackingError
        The port is taken, or the page does not start.
    """
    port = port or _DEFAULT_PORT
    _check_free(port)
    address = f"http://{_HOST}:{port}"
    # A session of its own, because MLflow starts further processes that have to end with it.
    # The store's address stands in the environment and not on the command line, which everybody on the machine can read.
    environment = {**_SETTINGS, **os.environ, "MLFLOW_BACKEND_STORE_URI": store}
    process = subprocess.Popen(
        ui_command(store, port),
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    # What MLflow and the libraries below it say of a store can hold its password.
    speaker = Thread(target=_repeat_without_secrets, args=(process, store), daemon=True)
    speaker.start()
    try:
        _wait(address, process, store)
        yield address, process
    finally:
        _end(process)
        speaker.join(_LAST_WORDS_SECONDS)


@contextmanager
def _stops_interrupt() -> Iterator[None]:
    """Let a signal to end interrupt the block as Ctrl-C does: by default it would end this process and leave the server."""

    def interrupt(number: int, frame: object) -> None:
        del frame
        # Once is enough; the server is being ended.
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a server and every process that it has started."""
    from psutil import NoSuchProcess, wait_procs

    processes = _of_server(process.pid)
    for action in ("terminate", "kill"):
        for one in processes:
            with suppress(NoSuchProcess):
                getattr(one, action)()
        _, processes = wait_procs(processes, timeout=_END_SECONDS)
    process.wait()


def _of_server(leader: int) -> list[Any]:
    """Return the processes of the leader's session; where the system has none, the leader and what descends from it."""
    from psutil import NoSuchProcess, Process, process_iter

    if hasattr(os, "getsid"):
        return [one for one in process_iter() if _session(one.pid) == leader]
    with suppress(NoSuchProcess):
        return [*Process(leader).children(recursive=True), Process(leader)]
    return []


def _session(process: int) -> int | None:
    try:
        return os.getsid(process)
    except (ProcessLookupError, PermissionError):
        return None


def ui_command(store: str, port: int) -> list[str]:
    """Return the command that serves the page of the store in the environment, with the artifacts beside a SQLite file."""
    command = [sys.executable, "-m", "mlflow", "ui", "--host", _HOST, "--port", str(port), "--workers", "1"]
    command += ["--uvicorn-opts", "--log-level warning"]
    file = sqlite_file(store)
    return command if file is None else [*command, "--artifacts-destination", artifact_folder(file).as_uri()]


def _repeat_without_secrets(process: "subprocess.Popen[bytes]", store: str) -> None:
    for line in process.stdout or ():
        sys.stderr.write(hide_secrets(line.decode(errors="replace"), store))
        sys.stderr.flush()


def _check_free(port: int) -> None:
    try:
        socket.create_server((_HOST, port)).close()
    except OSError as problem:
        raise TrackingError(
            f"Port {port} cannot be used ({problem.strerror}). Give another one with --port."
        ) from problem


def _wait(address: str, process: "subprocess.Popen[bytes]", store: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{address}/health", timeout=_ANSWER_SECONDS):
                return
        except (OSError, HTTPException):
            time.sleep(0.2)
    raise TrackingError(
        f"The MLflow page of {hide_secrets(store, store)} did not start; what MLflow said is above. Try "
        f"`mlflow ui --backend-store-uri` on it yourself."
    )


def _show(page: str, say: Callable[[str], None] | None) -> None:
    if say is not None:
        say(f"MLflow: {page}")
    if not webbrowser.open(page) and say is None:
        raise TrackingError(f"No browser was found on this machine. Open {page} in one.")

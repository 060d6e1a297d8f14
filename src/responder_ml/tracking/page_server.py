"""Serve the MLflow page of a store on this machine, for as long as it is wanted."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from urllib.request import urlopen

from responder_ml.errors import TrackingError
from responder_ml.tracking.store import artifact_folder, sqlite_file, without_password

# A page for one person: no telemetry, no queue of background jobs, no warnings that its libraries give each other.
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
}
_HOST = "127.0.0.1"
_MLFLOWS_PORT = 5000
_START_SECONDS = 60.0
_ANSWER_SECONDS = 5.0


@contextmanager
def served(store: str, port: int | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve the page of a resolved store while the block lasts; yield its address and its process.

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
    port = port or _MLFLOWS_PORT
    _check_free(port)
    address = f"http://{_HOST}:{port}"
    # A session of its own, because MLflow starts further processes that have to end with it.
    process = subprocess.Popen(ui_command(store, port), env={**_SETTINGS, **os.environ}, start_new_session=True)
    try:
        _wait(address, process, store)
        yield address, process
    except KeyboardInterrupt:
        pass
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def ui_command(store: str, port: int) -> list[str]:
    """Return the command that serves the page of a resolved store, with the artifacts beside a SQLite file."""
    command = [sys.executable, "-m", "mlflow", "ui", "--host", _HOST, "--port", str(port), "--workers", "1"]
    command += ["--uvicorn-opts", "--log-level warning", "--backend-store-uri", store]
    file = sqlite_file(store)
    return command if file is None else [*command, "--artifacts-destination", artifact_folder(file).as_uri()]


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
        f"The MLflow page of {without_password(store)} did not start; what MLflow said is above. Try "
        f"`mlflow ui --backend-store-uri` on it yourself."
    )

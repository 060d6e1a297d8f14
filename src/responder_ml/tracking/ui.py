"""The MLflow page in the browser, on the store that runs were sent to."""

import os
import sys
import webbrowser

from responder_ml.exceptions import TrackingError
from responder_ml.tracking.store import artifact_folder, check_store, resolve_store, sqlite_file

# A page for one person: no telemetry, no queue of background jobs.
_SERVER_SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def open_ui(uri: str | None, port: int | None = None) -> None:
    """Become the MLflow page of a store; does not return for a store of one's own.

    A tracking server has its page already: that is opened in the browser.

    Parameters
    ----------
    uri
        Tracking URI; None as in `resolve_store`.
    port
        Port on this machine; None takes MLflow's own.

    Raises
    ------
    TrackingError
        There is no such store, it cannot be read, or no browser can be opened.
    """
    store = resolve_store(uri)
    if store.startswith(("http://", "https://")):
        if not webbrowser.open(store):
            raise TrackingError(f"No browser was found on this machine. Open {store} in one.")
        return
    file = sqlite_file(store)
    if file is not None and not file.exists():
        raise TrackingError(
            f"There is no tracking store {file}. Run `train` here first, or give the store with tracking.uri in the "
            "job (--config) or MLFLOW_TRACKING_URI."
        )
    check_store(store)
    command = ui_command(store, port)
    os.execve(command[0], command, {**_SERVER_SETTINGS, **os.environ})


def ui_command(store: str, port: int | None) -> list[str]:
    """Return the command that serves the page of a resolved store.

    Parameters
    ----------
    store
        Resolved URI.
    port
        As in `open_ui`.
    """
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store, "--workers", "1"]
    file = sqlite_file(store)
    if file is not None:
        command += ["--artifacts-destination", artifact_folder(file).as_uri()]
    return command if port is None else [*command, "--port", str(port)]

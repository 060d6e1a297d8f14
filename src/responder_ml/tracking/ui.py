"""The MLflow page in the browser, on the store that runs were sent to, with a view that shows what matters."""

import json
import webbrowser
from collections.abc import Callable
from http.client import HTTPException
from urllib.parse import urlencode
from urllib.request import urlopen

from responder_ml.errors import TrackingError
from responder_ml.tracking.page_server import served
from responder_ml.tracking.store import DEFAULT_EXPERIMENT, check_store, resolve_store, sqlite_file
from responder_ml.tracking.views import FIRST_VIEW

_ANSWER_SECONDS = 5.0


def open_ui(
    uri: str | None,
    port: int | None = None,
    *,
    experiment: str | None = None,
    say: Callable[[str], None] | None = None,
) -> None:
    """Serve the MLflow page of a store and open it in the browser; returns when it is stopped (Ctrl-C).

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
        Is told the address; not every machine has a browser.

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
    with served(store, port) as (address, process):
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
            found = json.load(answer)["experiment"]["experiment_id"]
    except (OSError, HTTPException, ValueError, KeyError):
        return f"{address}/#/experiments"
    return f"{address}/#/experiments/{found}/runs?" + urlencode(
        {"viewStateShareKey": view, "workflowType": "machine_learning"}
    )


def _show(page: str, say: Callable[[str], None] | None) -> None:
    if say is not None:
        say(f"MLflow: {page}")
    if not webbrowser.open(page) and say is None:
        raise TrackingError(f"No browser was found on this machine. Open {page} in one.")

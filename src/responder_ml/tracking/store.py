"""Which tracking store is meant, and whether it can be one at all; nothing here imports MLflow.

MLflow waits for minutes on a database it cannot open. What can be seen beforehand is looked at here, so that a broken
store is named within seconds.
"""

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from responder_ml.exceptions import TrackingError

DEFAULT_EXPERIMENT = "responder_ml"
"""Where jobs go that name no experiment; jobs of all regions can be compared there."""
_DEFAULT = "sqlite:///mlflow.db"
_SQLITE = "sqlite:///"
_PATIENCE_SECONDS = 4.0
# Ports of the databases MLflow can keep its runs in.
_DATABASE_PORTS = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mssql": 1433}


def resolve_store(uri: str | None) -> str:
    """Return the store's full URI.

    Parameters
    ----------
    uri
        As the user gave it. None takes MLFLOW_TRACKING_URI, and ``sqlite:///mlflow.db`` in the current folder where that
        is not set either.

    Raises
    ------
    TrackingError
        It is no URI of a store.
    """
    asked = uri or os.environ.get("MLFLOW_TRACKING_URI") or _DEFAULT
    if "://" not in asked and not asked.startswith(("sqlite:", "databricks")):
        raise TrackingError(
            f"The tracking URI is '{asked}', which names no kind of store. Give sqlite:///FILE for a file, or "
            "http://HOST:PORT for a server."
        )
    if not asked.startswith("sqlite:"):
        return asked
    if not asked.startswith(_SQLITE) or asked == _SQLITE:
        raise TrackingError(f"The tracking URI is '{asked}'. A SQLite store is written sqlite:///FILE, three slashes.")
    return f"{_SQLITE}{Path(unquote(asked.removeprefix(_SQLITE))).absolute()}"


def sqlite_file(store: str) -> Path | None:
    """Return the file of a resolved SQLite store, None for any other."""
    return Path(store.removeprefix(_SQLITE)) if store.startswith(_SQLITE) else None


def without_password(store: str) -> str:
    """Return a store's URI as it may be shown."""
    password = urlsplit(store).password
    return store if password is None else store.replace(f":{password}@", ":***@", 1)


def artifact_folder(file: Path) -> Path:
    """Return the folder that holds the artifacts of a SQLite store: beside the file, wherever the program runs."""
    return file.parent / "mlartifacts"


def check_store(store: str) -> None:
    """Look whether a resolved store can be opened.

    Raises
    ------
    TrackingError
        The SQLite file is damaged, or nothing answers at the database's address.
    """
    file = sqlite_file(store)
    if file is not None:
        _check_sqlite(file)
        return
    parts = urlsplit(store)
    port = parts.port or _DATABASE_PORTS.get(parts.scheme.split("+")[0])
    if parts.scheme not in ("http", "https") and parts.hostname and port:
        _knock(parts.hostname, port)


def _check_sqlite(file: Path) -> None:
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as problem:
        raise TrackingError(
            f"The tracking store {file} cannot be read ({problem}). Move it away, and the next run starts a new one; or "
            "name another with tracking.uri."
        ) from problem


def _knock(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=_PATIENCE_SECONDS).close()
    except OSError as problem:
        raise TrackingError(
            f"Nothing answers at {host}:{port} ({problem}). Start the database, or name another store with tracking.uri."
        ) from problem

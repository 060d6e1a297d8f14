"""The address of the tracking store, and a check that it can be used; nothing here imports MLflow.

MLflow waits for minutes on a database it cannot open. What can be checked beforehand is checked here, so that a broken
store is reported within seconds.
"""

import os
import socket
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from responder_ml.errors import TrackingError

DEFAULT_EXPERIMENT = "responder_ml"
"""The experiment of jobs that name none; jobs of all regions can be compared there."""
_DEFAULT = "sqlite:///mlflow.db"
_SQLITE = "sqlite:///"
_POSTGRES = "postgresql://"
# What SQLAlchemy takes for this scheme has changed between its versions, so the driver is named in full.
_POSTGRES_DRIVERS = ("psycopg2", "psycopg")
_TIMEOUT_SECONDS = 4.0
# Ports of the databases MLflow can keep its runs in.
_DATABASE_PORTS = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mssql": 1433}


def resolve_store(uri: str | None) -> str:
    """Return the store's full URI, with the driver of a PostgreSQL database that is installed.

    Parameters
    ----------
    uri
        Tracking URI; None takes MLFLOW_TRACKING_URI, and ``sqlite:///mlflow.db`` in the current folder where that
        is not set either.

    Raises
    ------
    TrackingError
        It is no URI of a store.
    """
    store = uri or os.environ.get("MLFLOW_TRACKING_URI") or _DEFAULT
    if "://" not in store and not store.startswith(("sqlite:", "databricks")):
        raise TrackingError(
            f"The tracking URI is '{store}', which names no kind of store. Give sqlite:///FILE for a file, or "
            "http://HOST:PORT for a server."
        )
    if store.startswith(_POSTGRES):
        return _with_driver(store)
    if not store.startswith("sqlite:"):
        return store
    if not store.startswith(_SQLITE) or store == _SQLITE:
        raise TrackingError(f"The tracking URI is '{store}'. A SQLite store is written sqlite:///FILE, three slashes.")
    return f"{_SQLITE}{Path(unquote(store.removeprefix(_SQLITE))).absolute()}"


def sqlite_file(store: str) -> Path | None:
    """Return the file of a resolved SQLite store, None for any other."""
    return Path(store.removeprefix(_SQLITE)) if store.startswith(_SQLITE) else None


def without_password(store: str) -> str:
    """Return a store's URI with its password hidden."""
    password = urlsplit(store).password
    return store if password is None else store.replace(f":{password}@", ":***@", 1)


def artifact_folder(file: Path) -> Path:
    """Return the folder that holds the artifacts of a SQLite store: beside the file, wherever the program runs."""
    return file.parent / "mlartifacts"


def check_store(store: str) -> None:
    """Check that a resolved store can be opened.

    Raises
    ------
    TrackingError
        The SQLite file is damaged, nothing answers at the database's address, or there is no driver for PostgreSQL.
    """
    file = sqlite_file(store)
    if file is not None:
        _check_sqlite(file)
        return
    parts = urlsplit(store)
    port = parts.port or _DATABASE_PORTS.get(parts.scheme.split("+")[0])
    if parts.scheme not in ("http", "https") and parts.hostname and port:
        _check_address(parts.hostname, port)
    if store.startswith(_POSTGRES):
        raise TrackingError(
            "A PostgreSQL store needs a driver, and none is installed. Install the extra: responder-ml[postgres]."
        )


def _with_driver(uri: str) -> str:
    driver = next((name for name in _POSTGRES_DRIVERS if find_spec(name) is not None), None)
    return uri if driver is None else uri.replace(_POSTGRES, f"postgresql+{driver}://", 1)


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


def _check_address(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT_SECONDS).close()
    except OSError as problem:
        raise TrackingError(
            f"Nothing answers at {host}:{port} ({problem}). Start the database, or name another store with tracking.uri."
        ) from problem

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
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from responder_ml.errors import TrackingError, list_names
from responder_ml.masking import HIDDEN, hide_secrets

DEFAULT_EXPERIMENT = "responder_ml"
"""The experiment of jobs that name none; jobs of all regions can be compared there."""
_DEFAULT = "sqlite:///mlflow.db"
_SQLITE = "sqlite:///"
_POSTGRES = "postgresql://"
# What SQLAlchemy takes for this scheme has changed between its versions, so the driver is named in full.
_POSTGRES_DRIVERS = ("psycopg2", "psycopg")
_TIMEOUT_SECONDS = 4.0
_SQLITE_WAIT_S = 60.0
# Where MLflow notes how far the tables of a store have come.
_VERSION_TABLE = "alembic_version"
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
    if HIDDEN in store:
        return _without_hidden_part(store)
    if "://" not in store and not store.startswith(("sqlite:", "databricks")):
        raise TrackingError(
            f"The tracking URI is '{store}', which names no kind of store. Give sqlite:///FILE for a file, or "
            "http://HOST:PORT for a server."
        )
    if not store.startswith("sqlite:"):
        _parts(store)
        return _with_driver(store) if store.startswith(_POSTGRES) else store
    if not store.startswith(_SQLITE) or store == _SQLITE:
        raise TrackingError(f"The tracking URI is '{store}'. A SQLite store is written sqlite:///FILE, three slashes.")
    return f"{_SQLITE}{Path(unquote(store.removeprefix(_SQLITE))).absolute()}"


def sqlite_file(store: str) -> Path | None:
    """Return the file of a resolved SQLite store, None for any other."""
    return Path(store.removeprefix(_SQLITE)) if store.startswith(_SQLITE) else None


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
    parts, port = _parts(store)
    port = port or _DATABASE_PORTS.get(parts.scheme.split("+")[0])
    if parts.scheme not in ("http", "https") and parts.hostname and port:
        _check_address(parts.hostname, port)
    if store.startswith(_POSTGRES):
        raise TrackingError(
            "A PostgreSQL store needs a driver, and none is installed. Install the extra: responder-ml[postgres]."
        )


def _with_driver(uri: str) -> str:
    driver = next((name for name in _POSTGRES_DRIVERS if find_spec(name) is not None), None)
    return uri if driver is None else uri.replace(_POSTGRES, f"postgresql+{driver}://", 1)


def _without_hidden_part(store: str) -> str:
    """Return the address from the environment in place of one whose password was not written down."""
    own = os.environ.get("MLFLOW_TRACKING_URI")
    if own is None or HIDDEN in own:
        raise TrackingError(
            f"The tracking URI {store} lacks its password, which no run folder holds. Give the whole address with "
            "MLFLOW_TRACKING_URI, or to `track` with --uri."
        )
    return resolve_store(own)


def _parts(store: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(store)
        return parts, parts.port
    except ValueError as problem:
        raise TrackingError(
            f"The tracking URI {hide_secrets(store, store)} is no address: {hide_secrets(str(problem), store)}. Give "
            "sqlite:///FILE for a file, or http://HOST:PORT for a server."
        ) from problem


def _check_sqlite(file: Path) -> None:
    if file.is_dir():
        raise TrackingError(f"The tracking store {file} is a folder. Name a file with tracking.uri.")
    if not file.exists():
        return
    try:
        # Not read-only: what a process left half-written, killed or on a full disk, is undone by the next one that may write.
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=_SQLITE_WAIT_S)) as database:
            _check_tables(file, database)
    except sqlite3.OperationalError as problem:
        if "locked" not in str(problem):
            raise _unreadable(file, problem) from problem
        raise TrackingError(
            f"The tracking store {file} has been locked by another program for {_SQLITE_WAIT_S:g} s. End that program, and "
            "send the run with `track`."
        ) from problem
    except sqlite3.Error as problem:
        raise _unreadable(file, problem) from problem


def _check_tables(file: Path, database: sqlite3.Connection) -> None:
    """Refuse the database of another program, and one whose making was interrupted."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return
    if "experiments" not in tables and _VERSION_TABLE not in tables:
        raise TrackingError(
            f"{file} is a database of another program (its tables: {list_names(sorted(tables))}). Name another file with "
            "tracking.uri."
        )
    if _VERSION_TABLE not in tables or not database.execute(f"SELECT * FROM {_VERSION_TABLE}").fetchall():
        raise TrackingError(
            f"The tracking store {file} is half made: the program that began it was interrupted. It holds no runs; move it away, "
            "and the next run starts a new one."
        )


def _unreadable(file: Path, problem: sqlite3.Error) -> TrackingError:
    return TrackingError(
        f"The tracking store {file} cannot be read ({problem}). Move it away, and the next run starts a new one; or "
        "name another with tracking.uri."
    )


def _check_address(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT_SECONDS).close()
    except OSError as problem:
        raise TrackingError(
            f"Nothing answers at {host}:{port} ({problem}). Start the database, or name another store with tracking.uri."
        ) from problem


def free_name(client: Any, experiment_id: str, name: str) -> str:
    """Return a name for a row, with a number where the experiment has one of this name: runs of one job are told apart.

    Parameters
    ----------
    client, experiment_id
        MLflow's client, and the id of the experiment.
    name
        Without quotation marks, as names of jobs and studies are.
    """
    number, free = 1, name
    while client.search_runs([experiment_id], f"attributes.run_name = '{free}'", max_results=1):
        number += 1
        free = f"{name} ({number})"
    return free

"""One writer at a time: several trainings that end together on one store, which may not exist yet, all get their turn.

MLflow makes the tables of a new store when it is first used, step by step and without a lock: of two programs that begin together
one fails, and one that is killed leaves half of them. Here a SQLite store is made beside its place and moved there whole, and a
file beside it is locked while a run is sent. On PostgreSQL an advisory lock is held while the tables and the experiment are made.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from responder_ml.errors import TrackingError
from responder_ml.records.file_lock import locked
from responder_ml.tracking.store import sqlite_file

_PATIENCE_S = 900.0
_SQLITE_WAIT_S = 60
# Any number, the same in every program that makes a store.
_ADVISORY_LOCK = 7_226_021_151
_POSTGRES = "postgresql"


@contextmanager
def sole_writer(store: str) -> Iterator[None]:
    """Hold a SQLite store for this program while the block lasts; other stores are left to their server.

    Parameters
    ----------
    store
        Resolved URI.

    Raises
    ------
    TrackingError
        Another program has held it for too long, or the file cannot be made.
    """
    file = sqlite_file(store)
    if file is None:
        yield
        return
    too_long = TrackingError(
        f"{file} has been in use by another training for {_PATIENCE_S:g} s. The run folder is complete; end that training and "
        "send this run with `track`."
    )
    with ExitStack() as hold:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            hold.enter_context(locked(file.with_name(f".{file.name}.lock"), _PATIENCE_S, too_long))
        except OSError as problem:
            raise TrackingError(
                f"The tracking store {file} cannot be written: {problem}. Free space, or name another with tracking.uri."
            ) from problem
        _make_sqlite(file)
        yield


@contextmanager
def sole_maker(store: str) -> Iterator[None]:
    """Hold a PostgreSQL store while its tables and its experiment are made; the lock ends with the connection."""
    if not store.startswith(_POSTGRES):
        yield
        return
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    engine = create_engine(store, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{int(_PATIENCE_S)}s'"))
        connection.execute(text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})"))
        yield


def patient_address(store: str) -> str:
    """Return the address under which a SQLite store is opened that another program may be writing to; others as they are."""
    return store if sqlite_file(store) is None else f"{store}?timeout={_SQLITE_WAIT_S}"


def _make_sqlite(file: Path) -> None:
    """Make a store that does not exist beside its place, and move it there once it has all tables."""
    if file.exists():
        return
    from mlflow import MlflowClient

    beside = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        MlflowClient(tracking_uri=f"sqlite:///{beside}").search_experiments(max_results=1)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)

import socket
import sqlite3
import time
from contextlib import closing

import pytest

from responder_ml.errors import TrackingError
from responder_ml.tracking import store as module
from responder_ml.tracking.store import artifact_folder, check_store, resolve_store, sqlite_file


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def test_the_default_is_a_file_in_the_current_folder(tmp_path):
    assert resolve_store(None) == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_environment_comes_before_the_default_and_the_argument_before_both(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://lab:5000")
    assert resolve_store(None) == "http://lab:5000"
    assert resolve_store("https://other") == "https://other"


def test_artifacts_lie_beside_the_file(tmp_path):
    file = sqlite_file(resolve_store("sqlite:///deep/store.db"))
    assert file == tmp_path / "deep" / "store.db"
    assert artifact_folder(file) == tmp_path / "deep" / "mlartifacts"
    assert sqlite_file("http://lab:5000") is None


@pytest.mark.parametrize("uri", ["localhost:5000", "mlruns", "sqlite://mlflow.db", "sqlite:///"])
def test_what_is_no_store_is_refused_with_the_right_spelling(uri):
    with pytest.raises(TrackingError, match="sqlite:///FILE"):
        resolve_store(uri)


@pytest.mark.parametrize(
    "content", [b"this is not a database, it is a long enough text" * 50, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_damaged_file_is_named_at_once(tmp_path, content):
    file = tmp_path / "mlflow.db"
    file.write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(TrackingError, match=r"mlflow\.db cannot be read .* Move it away"):
        check_store(resolve_store(None))
    assert time.perf_counter() - start < 1
    assert file.read_bytes() == content


def test_a_sound_or_missing_file_passes(tmp_path):
    check_store(resolve_store(None))
    assert not (tmp_path / "mlflow.db").exists()
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute("CREATE TABLE experiments (id)")
        database.execute("CREATE TABLE alembic_version (version_num)")
        database.execute("INSERT INTO alembic_version VALUES ('1')")
        database.commit()
    check_store(resolve_store(None))


def test_a_database_nobody_answers_for_is_named_at_once():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(TrackingError, match=f"Nothing answers at 127.0.0.1:{port}"):
        check_store(f"postgresql://me:secret@127.0.0.1:{port}/runs")


@pytest.mark.parametrize(
    ("installed", "resolved"),
    [
        ({"psycopg2", "psycopg"}, "postgresql+psycopg2://me:secret@lab/runs"),
        ({"psycopg"}, "postgresql+psycopg://me:secret@lab/runs"),
        (set(), "postgresql://me:secret@lab/runs"),
    ],
)
def test_postgres_is_spoken_to_with_the_driver_that_is_installed(monkeypatch, installed, resolved):
    monkeypatch.setattr("responder_ml.tracking.store.find_spec", lambda name: "here" if name in installed else None)
    assert resolve_store("postgresql://me:secret@lab/runs") == resolved
    assert resolve_store("postgresql+other://lab/runs") == "postgresql+other://lab/runs"


def test_postgres_without_a_driver_is_said():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        uri = f"postgresql://me@127.0.0.1:{server.getsockname()[1]}/runs"
        with pytest.raises(TrackingError, match=r"responder-ml\[postgres\]"):
            check_store(uri)


def test_an_address_whose_password_was_not_written_down_is_taken_from_the_environment(monkeypatch):
    shown = "postgresql://me:***@lab/runs"
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(TrackingError, match=r"lacks its password.*--uri"):
        resolve_store(shown)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://lab:5000")
    assert resolve_store(shown) == "http://lab:5000"


@pytest.mark.parametrize("uri", ["http://lab:swordfish", "http://[lab", "postgresql://me:a/swordfish@lab:x/runs"])
def test_an_address_that_is_none_is_refused_without_its_password(uri):
    with pytest.raises(TrackingError, match="is no address") as refused:
        resolve_store(uri)
    assert "swordfish" not in str(refused.value) or uri == "http://lab:swordfish"


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (["CREATE TABLE papers (title)"], "database of another program"),
        (["CREATE TABLE experiments (id)"], "half made"),
        (["CREATE TABLE experiments (id)", "CREATE TABLE alembic_version (version_num)"], "half made"),
    ],
)
def test_another_programs_database_and_a_half_made_store_are_refused(tmp_path, tables, message):
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        for table in tables:
            database.execute(table)
    with pytest.raises(TrackingError, match=message):
        check_store(resolve_store(f"sqlite:///{tmp_path / 'store.db'}"))


def test_a_store_that_is_locked_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SQLITE_WAIT_S", 0.2)
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        database.execute("CREATE TABLE experiments (id)")
        database.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TrackingError, match="locked by another program"):
            check_store(f"sqlite:///{tmp_path / 'store.db'}")

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from responder_ml.errors import TrackingError
from responder_ml.tracking import store_lock
from responder_ml.tracking.store_lock import patient_address, sole_writer

HOLD = "import sys; from filelock import FileLock; lock = FileLock(sys.argv[1]); lock.acquire(); print('held', flush=True); input()"


def test_a_new_store_appears_whole_and_nothing_is_left_beside_it(tmp_path):
    file = tmp_path / "new" / "store.db"
    with sole_writer(f"sqlite:///{file}"), closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    assert sorted(path.name for path in file.parent.iterdir()) == [".store.db.lock", "store.db"]


def test_a_writer_that_stands_still_is_waited_for_and_then_said(tmp_path, monkeypatch):
    monkeypatch.setattr(store_lock, "_PATIENCE_S", 0.2)
    file = tmp_path / "store.db"
    command = [sys.executable, "-c", HOLD, str(tmp_path / ".store.db.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(TrackingError, match="in use by another training"), sole_writer(f"sqlite:///{file}"):
            pass
        holder.communicate(b"\n")


def test_a_folder_that_cannot_be_written_is_a_message(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(TrackingError, match="cannot be written"),
        sole_writer(f"sqlite:///{tmp_path / 'file' / 'x.db'}"),
    ):
        pass


def test_other_stores_are_left_to_their_server():
    with sole_writer("http://lab:5000"):
        assert patient_address("http://lab:5000") == "http://lab:5000"
    assert patient_address("sqlite:////tmp/x.db").endswith("?timeout=60")

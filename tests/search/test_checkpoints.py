"""One process to a run folder, and a folder of units that goes when the run is done."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from responder_ml.errors import RunError
from responder_ml.search import checkpoints
from responder_ml.search.checkpoints import run_checkpoint

HOLDER = """
import sys
from pathlib import Path
from responder_ml.search.checkpoints import RunCheckpoint
checkpoint = RunCheckpoint(Path(sys.argv[1]))
checkpoint.unit_store()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_nothing_is_there_before_work_begins_and_after_it_ends(tmp_path):
    with run_checkpoint(tmp_path / "run") as checkpoint:
        assert not list(tmp_path.iterdir())
        store = checkpoint.unit_store()
        (store.folder / f"{'a' * 32}.unit").touch()
        assert [path.name for path in tmp_path.iterdir()] == [".run.units"]
    assert not list(tmp_path.iterdir())


def _fails(out, *names):
    with run_checkpoint(out) as checkpoint:
        store = checkpoint.unit_store()
        for name in names:
            (store.folder / name).touch()
        raise ZeroDivisionError


def test_units_outlive_an_error_and_an_empty_folder_does_not(tmp_path):
    for out, names in (("kept", (f"{'a' * 32}.unit", f"{'b' * 32}.unit.123.partial")), ("empty", ())):
        with pytest.raises(ZeroDivisionError):
            _fails(tmp_path / out, *names)
    assert [path.name for path in tmp_path.iterdir()] == [".kept.units"]
    with run_checkpoint(tmp_path / "kept") as checkpoint:
        assert sorted(path.name for path in checkpoint.unit_store().folder.iterdir()) == [
            f"{'a' * 32}.unit", "holder", "lock"
        ]  # fmt: skip


def test_a_second_process_learns_who_has_the_folder(tmp_path, holder):
    with (
        pytest.raises(RunError, match=f"being written by process {holder.pid} on"),
        run_checkpoint(tmp_path / "run") as checkpoint,
    ):
        checkpoint.unit_store()
    assert (tmp_path / ".run.units" / "lock").exists()


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path, holder):
    holder.kill()
    holder.wait()
    with run_checkpoint(tmp_path / "run") as checkpoint:
        assert checkpoint.unit_store().folder.is_dir()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_is_reported_before_any_work():
    with (
        pytest.raises(RunError, match="Nothing can be written beside"),
        run_checkpoint(Path("/proc/nowhere/run")) as checkpoint,
    ):
        checkpoint.unit_store()


def test_a_written_run_is_known_by_its_key(tmp_path):
    with run_checkpoint(tmp_path / "run") as checkpoint:
        checkpoint.unit_store()
        assert not checkpoint.is_written("key", {"run": "1", "bundle": "2"})
        checkpoint.mark_written("key", {"run": "1", "bundle": "2"})
        assert checkpoint.is_written("key", {"run": "1", "bundle": "2"})
        assert not checkpoint.is_written("other", {"run": "1", "bundle": "2"})
        # Another bundle, one that was altered, one that is gone, and a marker that is not whole.
        for digests in ({"run": "1", "other": "2"}, {"run": "1", "bundle": "3"}, {"run": "1", "bundle": None}):
            assert not checkpoint.is_written("key", digests)
        (checkpoint.folder / "written").write_text('{"key": "ke')
        assert not checkpoint.is_written("key", {"run": "1", "bundle": "2"})


def test_a_folder_of_units_that_holds_something_else_is_left_alone(tmp_path):
    thesis = tmp_path / ".run.units" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("three years")
    with pytest.raises(RunError, match=r"thesis\.txt.*Move that away"), run_checkpoint(tmp_path / "run") as checkpoint:
        checkpoint.unit_store()
    assert thesis.read_text() == "three years"


def test_what_somebody_puts_among_the_units_outlives_them(tmp_path):
    with run_checkpoint(tmp_path / "run") as checkpoint:
        (checkpoint.unit_store().folder / "thesis.txt").write_text("three years")
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["three years"]


def test_a_folder_that_was_removed_under_way_hides_no_error(tmp_path):
    def fail(checkpoint):
        shutil.rmtree(checkpoint.unit_store().folder)
        raise ValueError("the work's own")

    with pytest.raises(ValueError, match="the work's own"), run_checkpoint(tmp_path / "run") as checkpoint:
        fail(checkpoint)


def test_the_units_may_be_asked_for_twice(tmp_path):
    with run_checkpoint(tmp_path / "run") as checkpoint:
        assert checkpoint.unit_store() == checkpoint.unit_store()


def test_what_a_process_left_that_died_while_clearing_up_is_removed_and_nothing_else_is(tmp_path):
    for name in (".run.units.123.gone", ".run2.units.123.gone", "run.units.gone"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{'a' * 32}.unit").touch()
    with run_checkpoint(tmp_path / "run") as checkpoint:
        checkpoint.unit_store()
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            ".run.units",
            ".run2.units.123.gone",
            "run.units.gone",
        ]


@pytest.mark.parametrize("problem", [FileNotFoundError(), Timeout("lock")])
def test_a_folder_removed_between_opening_and_locking_its_lock_is_made_again(tmp_path, monkeypatch, problem):
    acquire, calls = FileLock.acquire, []

    def remove_first(lock, *args, **kwargs):
        calls.append(lock.lock_file)
        if len(calls) == 1:
            shutil.rmtree(tmp_path / ".run.units")
            raise problem
        return acquire(lock, *args, **kwargs)

    monkeypatch.setattr(FileLock, "acquire", remove_first)
    with run_checkpoint(tmp_path / "run") as checkpoint:
        store = checkpoint.unit_store()
        assert (store.folder / "holder").read_text().startswith(f"process {os.getpid()} on ")
    assert len(calls) == 2


def test_where_open_files_cannot_be_moved_the_lock_is_let_go_of_before_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "_IS_WINDOWS", True)
    monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("a folder with an open file was moved"))
    with run_checkpoint(tmp_path / "run") as checkpoint:
        (checkpoint.unit_store().folder / f"{'a' * 32}.unit").touch()
    # There the library removes the lock file itself.
    assert [path.name for path in tmp_path.rglob("*")] == [".run.units", "lock"]

import os
import signal
import subprocess
import sys
import tempfile

import pytest

from responder_ml.search.checkpoints import run_checkpoint
from responder_ml.temporary_folder import clear_of_the_dead, is_running, temporary_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Return an empty folder that stands for the user's temporary folder, here and in processes that start here."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


SHARES = """
import sys
import numpy as np
from responder_ml.search.shared_memory import shared_file

with shared_file(np.zeros(10**6)) as path:
    print(path.parent.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def sharing():
    """A process that shares eight megabytes."""
    with subprocess.Popen(
        [sys.executable, "-c", SHARES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_what_a_killed_process_shared_is_cleared_by_the_next_run(sharing, temporary, tmp_path):
    process, name = sharing
    folder = temporary / name
    assert (folder / "shared_file").stat().st_size > 8 * 10**6
    clear_of_the_dead()
    assert folder.is_dir()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.is_dir()
    with run_checkpoint(tmp_path / "run") as checkpoint:
        checkpoint.unit_store()
    assert not folder.exists()


def test_a_folder_is_named_after_its_process_and_removed(temporary):
    with temporary_folder() as folder:
        assert folder.parent == temporary
        assert f"-{os.getpid()}-" in folder.name
        clear_of_the_dead()
        assert folder.is_dir()
    assert not folder.exists()


def test_nothing_else_is_removed(temporary, sharing, tmp_path):
    process, name = sharing
    process.kill()
    process.wait()
    number = str(process.pid)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("three years of work")
    # Of another machine or container, of a living process, of another program, a file, and a link.
    others = [
        name.replace("responder-ml-", "responder-ml-x"),
        name.replace(number, "1"),
        f"other-{name}",
        f"{name}.kept",
    ]
    for other in others:
        (temporary / other).mkdir()
    (temporary / f"{name}x").write_text("a file")
    (temporary / f"{name}y").symlink_to(tmp_path / "thesis")
    clear_of_the_dead()
    assert sorted(path.name for path in temporary.iterdir()) == sorted([*others, f"{name}x", f"{name}y"])
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "three years of work"


def test_a_process_is_running_until_it_has_ended(sharing):
    process, _ = sharing
    assert is_running(os.getpid())
    assert is_running(1)
    assert is_running(process.pid)
    process.kill()
    process.wait()
    assert not is_running(process.pid)

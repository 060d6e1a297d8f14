import os
import subprocess
import sys

import pytest

from responder_ml.records.files import replace_folder


def _fill(text):
    return lambda folder: (folder / "file").write_text(text)


@pytest.fixture
def dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_folder_appears_whole_and_replaces_the_former(tmp_path):
    for text in ("one", "two"):
        replace_folder(tmp_path / "deep" / "place", _fill(text))
        assert (tmp_path / "deep" / "place" / "file").read_text() == text
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["place"]


def test_a_write_that_fails_leaves_the_former(tmp_path):
    def fail(folder):
        (folder / "file").write_text("half")
        raise OSError(28, "No space left on device")

    replace_folder(tmp_path / "place", _fill("one"))
    with pytest.raises(OSError, match="No space"):
        replace_folder(tmp_path / "place", fail)
    assert (tmp_path / "place" / "file").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_remains_of_the_dead_are_cleared_and_those_of_the_living_left(tmp_path, dead):
    for name in (f".place.{dead}.partial", f".place.{os.getppid()}.partial", f".placebo.{dead}.partial"):
        (tmp_path / name).mkdir()
    replace_folder(tmp_path / "place", _fill("one"))
    remaining = {path.name for path in tmp_path.iterdir()}
    assert remaining == {"place", f".place.{os.getppid()}.partial", f".placebo.{dead}.partial"}


def test_what_a_process_killed_between_its_two_moves_had_put_aside_is_not_lost(tmp_path, dead):
    replace_folder(tmp_path / f".place.{dead}.former", _fill("one"))

    def fail(folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        replace_folder(tmp_path / "place", fail)
    assert (tmp_path / "place" / "file").read_text() == "one"

import errno
import json
import os
import subprocess
import sys

import pytest

from responder_ml.errors import RunError
from responder_ml.records import files
from responder_ml.records.files import moved_when_whole, replace_listed_file, write_folder, write_text
from responder_ml.records.ownership import FILE_LIST, FolderKind, damaged_files, read_file_list

KIND = FolderKind("run")


@pytest.fixture
def dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def full_disk(monkeypatch):
    """From the second file on, the disk is full."""
    write, count = files.write_synced, iter(range(99))

    def write_or_fail(path, content):
        if next(count):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(files, "write_synced", write_or_fail)


def test_a_folder_appears_whole_and_replaces_the_former(tmp_path):
    for text in ("one", "two"):
        write_folder(tmp_path / "deep" / "place", {"file": text}, KIND)
        assert (tmp_path / "deep" / "place" / "file").read_text() == text
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["place"]


def test_a_write_that_fails_leaves_the_former(tmp_path, request):
    write_folder(tmp_path / "place", {"file": "one"}, KIND)
    request.getfixturevalue("full_disk")
    with pytest.raises(RunError, match="No space"):
        write_folder(tmp_path / "place", {"file": "two"}, KIND)
    assert (tmp_path / "place" / "file").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_remains_of_the_dead_are_cleared_and_those_of_the_living_left(tmp_path, dead):
    for name in (f".place.{dead}.partial", f".place.{os.getppid()}.partial", f".placebo.{dead}.partial"):
        (tmp_path / name).mkdir()
    write_folder(tmp_path / "place", {"file": "one"}, KIND)
    remaining = {path.name for path in tmp_path.iterdir()}
    assert remaining == {"place", f".place.{os.getppid()}.partial", f".placebo.{dead}.partial"}


def test_what_a_killed_process_left_of_one_file_is_cleared_by_the_next(tmp_path, dead):
    torn, living = tmp_path / f".out.json.{dead}.partial", tmp_path / f".out.json.{os.getppid()}.partial"
    for path in (torn, living):
        path.write_text("{")
    write_text(tmp_path / "out.json", "{}")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([living.name, "out.json"])


def _write_while_another_does(path, text, other):
    with moved_when_whole(path, replace=False) as beside:
        beside.write_text(text)
        path.write_text(other)


def test_a_new_file_never_replaces_one_that_appeared_meanwhile(tmp_path):
    with pytest.raises(FileExistsError):
        _write_while_another_does(tmp_path / "job.yaml", "ours", "theirs")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("job.yaml", "theirs")]


def test_what_a_process_killed_between_its_two_moves_had_put_aside_is_not_lost(tmp_path, dead, request):
    write_folder(tmp_path / f".place.{dead}.former", {"file": "one"}, KIND)
    request.getfixturevalue("full_disk")
    with pytest.raises(RunError, match="No space"):
        write_folder(tmp_path / "place", {"file": "two"}, KIND)
    assert (tmp_path / "place" / "file").read_text() == "one"


def test_remains_that_only_look_like_ours_stay(tmp_path, dead):
    thesis = tmp_path / f".place.{dead}.partial" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("three years")
    write_folder(tmp_path / "place", {"file": "one"}, KIND)
    assert thesis.read_text() == "three years"


def test_files_of_somebody_else_in_our_folder_are_left_where_they_are(tmp_path):
    write_folder(tmp_path / "place", {"file": "one", "only_before": "x"}, KIND)
    (tmp_path / "place" / "notes.txt").write_text("mine")
    write_folder(tmp_path / "place", {"file": "two"}, KIND)
    texts = {path.name: path.read_text() for path in (tmp_path / "place").iterdir()}
    assert {name: text for name, text in texts.items() if name != FILE_LIST} == {"file": "two", "notes.txt": "mine"}
    assert set(read_file_list(tmp_path / "place").digests) == {"file"}
    assert damaged_files(tmp_path / "place") == []
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_a_name_that_somebody_has_taken_is_refused(tmp_path):
    write_folder(tmp_path / "place", {"file": "one"}, KIND)
    (tmp_path / "place" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"notes\.txt was not written by this program"):
        write_folder(tmp_path / "place", {"file": "two", "notes.txt": "ours"}, KIND)
    assert (tmp_path / "place" / "notes.txt").read_text() == "mine"


def test_a_listed_file_is_written_anew_with_its_checksum(tmp_path):
    write_folder(tmp_path / "place", {"page": "one", "answer": "1"}, KIND)
    replace_listed_file(tmp_path / "place" / "page", "two", KIND)
    replace_listed_file(tmp_path / "elsewhere", "two", KIND)
    assert damaged_files(tmp_path / "place") == []
    assert json.loads((tmp_path / "place" / FILE_LIST).read_text())["kind"] == "run"
    assert (tmp_path / "elsewhere").read_text() == "two"

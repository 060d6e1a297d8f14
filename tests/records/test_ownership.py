import json
import os

import pytest

from responder_ml.errors import RunError
from responder_ml.records.files import write_folder
from responder_ml.records.ownership import (
    FILE_LIST,
    FolderKind,
    by_answer,
    check_apart,
    check_output_file,
    damaged_files,
    digest_of_folder,
    read_file_list,
)

FORMER = FolderKind("run", by_answer("result.json", ("schema_version", "name"), ("result.json", "folds.csv")))


def _file(folder, name, text="thesis"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("result.json", '{"name": "of another program"}'),
        ("result.json", "[" * 100_000),
        ("manifest.json", "{}"),
        (FILE_LIST, "{}"),
        (FILE_LIST, '{"program": "responder_ml", "format": 1, "kind": "bundle", "files": {}}'),
        (FILE_LIST, '{"program": "responder_ml", "format": 1, "kind": "run", "files": {"../thesis": ""}}'),
        ("thesis.txt", ""),
    ],
)
def test_a_folder_is_not_ours_because_a_file_has_a_name(tmp_path, name, text):
    _file(tmp_path / "place", name, text)
    with pytest.raises(RunError, match=r"is not a run that this program wrote.*--out"):
        FORMER.check(tmp_path / "place")


def test_a_folder_of_a_former_version_is_ours_by_its_answer(tmp_path):
    _file(tmp_path / "place", "result.json", '{"schema_version": 1, "name": "pfc"}')
    _file(tmp_path / "place", "thesis.txt")
    FORMER.check(tmp_path / "place")
    assert FORMER.own_files(tmp_path / "place") == {"result.json"}


def test_new_and_empty_folders_may_be_written(tmp_path):
    (tmp_path / "empty").mkdir()
    FORMER.check(tmp_path / "empty")
    FORMER.check(tmp_path / "new" / "folder")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "is the folder in which the program runs"),
        ("..", "is the folder in which the program runs"),
        ("/", "is no folder that can be replaced"),
        ("x" * 240, "too many for a folder"),
        ("file", "is a file and no folder"),
        ("file/below", "is no folder that can be written"),
        ("link", "is a link"),
        ("dangling", "is a link"),
    ],
)
def test_names_that_can_never_be_written_are_refused(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    _file(tmp_path, "file")
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("nowhere")
    before = sorted(os.listdir(tmp_path))  # noqa: PTH208
    with pytest.raises(RunError, match=message):
        FORMER.check(tmp_path / name if name not in (".", "..", "/") else type(tmp_path)(name))
    assert sorted(os.listdir(tmp_path)) == before  # noqa: PTH208


def test_damage_is_named_and_a_folder_without_a_list_has_none(tmp_path):
    write_folder(tmp_path / "place", {"a": "1", "b": "2", "c": "3"}, FORMER)
    assert damaged_files(tmp_path / "place") == []
    whole = digest_of_folder(tmp_path / "place")
    (tmp_path / "place" / "a").write_text("4")
    (tmp_path / "place" / "b").unlink()
    (tmp_path / "place" / "c").unlink()
    os.mkfifo(tmp_path / "place" / "c")
    assert damaged_files(tmp_path / "place") == ["a", "b", "c"]
    assert whole is not None
    assert digest_of_folder(tmp_path / "place") is None
    assert damaged_files(tmp_path) == []
    assert digest_of_folder(tmp_path) is None


def test_the_list_reads_back(tmp_path):
    write_folder(tmp_path / "place", {"b": "2", "a": "1"}, FORMER)
    file_list = read_file_list(tmp_path / "place")
    assert list(file_list.digests) == ["a", "b"]
    assert json.loads(file_list.text())["program"] == "responder_ml"


@pytest.mark.parametrize(("out", "bundle"), [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "b/../a")])
def test_folders_that_overlap_are_refused(tmp_path, out, bundle):
    with pytest.raises(RunError, match="overlap"):
        check_apart({"--out": tmp_path / out, "--bundle": tmp_path / bundle})
    check_apart({"--out": tmp_path / "a", "--bundle": tmp_path / "ab"})


def test_a_file_is_never_written_over_an_input_or_over_what_is_not_ours(tmp_path):
    for name in ("input.csv", "thesis.csv"):
        _file(tmp_path, name)
    _file(tmp_path, "ours.csv", "ours")
    _file(tmp_path / "bundle", "manifest.json")
    (tmp_path / "link.csv").symlink_to(tmp_path / "input.csv")
    inputs = {"the expression": tmp_path / "input.csv", "the bundle": tmp_path / "bundle", "the sheet": None}
    for name in ("input.csv", "link.csv", "bundle/scores.csv", "thesis.csv", "bundle", f"{'x' * 250}.csv"):
        with pytest.raises(RunError, match="--out"):
            check_output_file(tmp_path / name, inputs, lambda content: content == b"ours")
    check_output_file(tmp_path / "ours.csv", inputs, lambda content: content == b"ours")
    check_output_file(tmp_path / "new" / "file.csv", inputs, lambda content: False)

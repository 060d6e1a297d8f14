"""Locks of jobs: what is the same job, what is older than its first run, and what becomes of damaged lines."""

import json
from dataclasses import replace

import pytest

from responder_ml.errors import RunError
from responder_ml.records.job_lock import LOCKS, find_lock, lock_job
from responder_ml.records.job_register import AskedJob, register_job

JOB = AskedJob("key", "question", frozenset({"a", "b"}))
CONFIG = {"name": "pfc", "null": {"alpha": 0.05}, "compute": {"workers": 1}}


def test_a_lock_is_written_once_and_is_the_same_for_ever(tmp_path):
    first = lock_job(tmp_path, JOB, CONFIG, "v1", "pfc")
    assert first.before_first_run
    assert first.sentence == f"Locked on {first.time[:10]}, before it first ran."
    register_job(tmp_path, JOB)
    assert lock_job(tmp_path, JOB, CONFIG, "v1", "pfc") == first
    assert find_lock(tmp_path, JOB, CONFIG, "v1") == first
    assert len((tmp_path / LOCKS).read_text().splitlines()) == 1


def test_a_lock_after_the_first_run_says_so(tmp_path):
    register_job(tmp_path, JOB)
    late = lock_job(tmp_path, JOB, CONFIG, "v1", "pfc")
    assert not late.before_first_run
    assert "after it had first run" in late.sentence


@pytest.mark.parametrize(
    ("job", "config"),
    [(replace(JOB, key="other"), CONFIG), (JOB, CONFIG | {"null": {"alpha": 0.1}}), (JOB, {"name": "pfc"})],
)
def test_another_job_or_level_has_no_lock_and_another_digest(tmp_path, job, config):
    lock = lock_job(tmp_path, JOB, CONFIG, "v1", "pfc")
    assert find_lock(tmp_path, job, config, "v1") is None
    assert lock_job(tmp_path, job, config, "v1", "pfc").digest != lock.digest


def test_name_and_workers_are_no_part_of_a_lock(tmp_path):
    lock = lock_job(tmp_path, JOB, CONFIG, "v1", "pfc")
    assert find_lock(tmp_path, JOB, {"null": {"alpha": 0.05}, "name": "x"}, "v1") == lock


def test_another_version_of_the_program_is_said_and_the_own_one_comes_first(tmp_path):
    lock_job(tmp_path, JOB, CONFIG, "v1", "pfc")
    changed = find_lock(tmp_path, JOB, CONFIG, "v2")
    assert not changed.same_code
    assert changed.sentence.endswith("with another version of the program.")
    own = lock_job(tmp_path, JOB, CONFIG, "v2", "pfc")
    assert find_lock(tmp_path, JOB, CONFIG, "v2") == own
    assert own.digest != changed.digest


def test_damaged_lines_and_strangers_lines_are_no_locks(tmp_path):
    lock = lock_job(tmp_path, JOB, CONFIG, "v1", "pfc")
    with (tmp_path / LOCKS).open("ab") as file:
        file.write(b'{torn\n[1]\n{"digest": 1}\n\xff\xfe\n{"half": ')
    assert find_lock(tmp_path, JOB, CONFIG, "v1") == lock
    other = lock_job(tmp_path, replace(JOB, key="other"), CONFIG, "v1", "pfc")
    assert find_lock(tmp_path, replace(JOB, key="other"), CONFIG, "v1") == other
    assert json.loads((tmp_path / LOCKS).read_bytes().splitlines()[-1])["digest"] == other.digest


def test_a_folder_that_cannot_be_written_is_one_message_and_without_one_there_is_no_lock(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"\.locks\.jsonl cannot be used"):
        lock_job(tmp_path / "file", JOB, CONFIG, "v1", "pfc")
    assert find_lock(tmp_path / "none", JOB, CONFIG, "v1") is None

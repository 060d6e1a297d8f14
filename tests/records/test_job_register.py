"""The register of jobs: what counts as the same data and as the same job, and what becomes of damaged lines and other processes."""

import json
import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.graded_outcome import grade_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import RunError
from responder_ml.records import job_register
from responder_ml.records.file_lock import locked
from responder_ml.records.job_register import REGISTER, AskedJob, register_job

ENDPOINT = Endpoint("response", "responder", "non_responder", strata=("drug",))
CONFIG = {
    "name": "pfc", "cohort": {"source": "table", "expression": "/a/counts.tsv"}, "endpoint": {"column": "response"},
    "builders": [{"kind": "genes"}], "null": {"permutations": 99}, "compute": {"workers": 1}, "seed": 7,
}  # fmt: skip


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(seed=7, n_genes=300, regions=["PFC"])


def _job(data, question=ENDPOINT, **config):
    return AskedJob.of(label_cohort(data, question), {**CONFIG, **config})


def _of_drug(cohort, drug):
    return cohort[(cohort.obs["drug"] == drug).to_numpy()].copy()


def test_the_first_job_is_alone_and_asked_again_it_still_is(tmp_path, cohort):
    job = _job(cohort)
    for _ in range(3):
        count = register_job(tmp_path, job)
        assert (count.run, count.jobs, count.damaged_lines) == (1, 1, 0)
    assert len((tmp_path / REGISTER).read_text().splitlines()) == 1


def test_other_seeds_are_other_jobs_and_each_is_counted_once(tmp_path, cohort):
    counts = [register_job(tmp_path, _job(cohort, seed=seed)) for seed in (7, 8, 9, 8, 7)]
    assert [(count.run, count.jobs) for count in counts] == [(1, 1), (2, 2), (3, 3), (2, 3), (1, 3)]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "renamed"},
        {"cohort": {"source": "table", "expression": "/b/counts.tsv"}},
        {"compute": {"workers": 8}},
        {"null": {"permutations": 9999}},
        {"tracking": {"enabled": False}},
    ],
)
def test_names_paths_workers_and_the_budget_of_the_null_make_no_other_job(cohort, change):
    assert _job(cohort, **change).key == _job(cohort).key


@pytest.mark.parametrize(
    "change",
    [{"seed": 8}, {"builders": [{"kind": "pairs"}]}, {"search": {"folds": 3}}, {"endpoint": {"nuisance": ["batch"]}}],
)
def test_settings_that_move_the_numbers_make_another_job_on_the_same_data(cohort, change):
    job, other = _job(cohort), _job(cohort, **change)
    assert job.key != other.key
    assert job.is_on_the_data_of(other)


def test_the_order_of_genes_and_their_last_bits_make_no_other_job(cohort, rng):
    shuffled = cohort[:, rng.permutation(cohort.n_vars)].copy()
    assert _job(shuffled).key == _job(cohort).key
    nearly = cohort.copy()
    nearly.X = np.asarray(cohort.X) * (1 + 1e-12)
    assert _job(nearly).key == _job(cohort).key


def test_another_order_of_subjects_makes_no_other_job(cohort, rng):
    shuffled = cohort[rng.permutation(cohort.n_obs)].copy()
    assert _job(shuffled).key == _job(cohort).key
    assert _job(shuffled).samples == _job(cohort).samples


def test_without_one_subject_or_with_the_classes_swapped_or_renamed_samples_they_are_the_same_data(cohort):
    job = _job(cohort)
    rest = _job(cohort[(cohort.obs["subject"] != cohort.obs["subject"].iloc[0]).to_numpy()].copy())
    swapped = _job(cohort, replace(ENDPOINT, positive="non_responder", negative="responder"))
    renamed = cohort.copy()
    renamed.obs_names = [f"other_{name}" for name in cohort.obs_names]
    renamed.obs["subject"] = [f"other_{name}" for name in cohort.obs["subject"]]
    for other in (rest, swapped):
        assert other.key != job.key
        assert job.is_on_the_data_of(other)
        assert other.is_on_the_data_of(job)
    assert _job(renamed).key == job.key


def test_other_classes_another_cohort_and_half_of_the_samples_are_other_data(tmp_path, cohort):
    job = _job(cohort)
    others = (
        _job(cohort, Endpoint("phenotype", "resilient", "susceptible")),
        _job(simulate_cohort(seed=8, n_genes=300, regions=["PFC"])),
        _job(simulate_cohort(seed=7, n_genes=300, regions=["NAc"])),
        _job(_of_drug(cohort, "imipramine")),
    )
    for other in others:
        assert not job.is_on_the_data_of(other)
        register_job(tmp_path, other)
    assert register_job(tmp_path, job).jobs == 1


def test_a_changed_label_is_another_job_on_the_same_data(cohort):
    labelled = label_cohort(cohort, ENDPOINT)
    labels = labelled.labels.copy()
    labels[0] = 1 - labels[0]
    other = AskedJob.of(replace(labelled, labels=labels), CONFIG)
    assert other.key != _job(cohort).key
    assert other.is_on_the_data_of(_job(cohort))


@pytest.mark.parametrize(
    "damage",
    [
        b"{torn",
        b"\xff\xfe\x00\n",
        b"[]\n",
        b"3\n",
        b'{"job": "a", "question": "b"}\n',
        b'{"job":1,"question":2,"samples":[3]}\n',
    ],
)
def test_a_damaged_line_is_counted_as_damaged_and_costs_no_other_line(tmp_path, cohort, damage):
    register_job(tmp_path, _job(cohort))
    with (tmp_path / REGISTER).open("ab") as file:
        file.write(damage)
    count = register_job(tmp_path, _job(cohort, seed=8))
    assert (count.run, count.jobs, count.damaged_lines) == (2, 2, 1)
    # Even a torn last line does not swallow the next one.
    assert register_job(tmp_path, _job(cohort, seed=9)).jobs == 3
    assert damage.strip() in (tmp_path / REGISTER).read_bytes()


def test_a_line_says_when_and_what_for_people(tmp_path, cohort):
    register_job(tmp_path / "runs", _job(cohort), {"name": "pfc", "seed": 7})
    entry = json.loads((tmp_path / "runs" / REGISTER).read_text())
    assert {"name", "seed", "time", "job", "question", "samples"} == set(entry)
    assert entry["name"] == "pfc"


def test_a_register_that_cannot_be_written_is_a_run_error(tmp_path, cohort):
    (tmp_path / REGISTER).mkdir()
    with pytest.raises(RunError, match="cannot be used"):
        register_job(tmp_path, _job(cohort))


def test_a_process_that_stands_still_does_not_hold_up_another_for_ever(tmp_path, cohort, monkeypatch):
    monkeypatch.setattr(job_register, "_PATIENCE_S", 0.1)
    with (
        locked(tmp_path / ".register.lock", 1.0, RunError("not free")),
        pytest.raises(RunError, match="locked"),
    ):
        register_job(tmp_path, _job(cohort))
    assert register_job(tmp_path, _job(cohort)).jobs == 1


def _register(folder, start, barrier, results):
    barrier.wait()
    for number in range(start, start + 25):
        count = register_job(folder, AskedJob(f"job {number}", "question", frozenset("ab")))
        results.put(count.run)


def test_two_processes_lose_no_line_and_give_no_number_twice(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(2), context.Queue()
    processes = [context.Process(target=_register, args=(tmp_path, start, barrier, results)) for start in (0, 1000)]
    for process in processes:
        process.start()
    numbers = sorted(results.get(timeout=30) for _ in range(50))
    for process in processes:
        process.join()
    assert numbers == list(range(1, 51))
    assert len((tmp_path / REGISTER).read_text().splitlines()) == 50


def _graded(cohort, column="si_post", change=None, **config):
    graded = grade_cohort(cohort, Endpoint(column, "upper half", "lower half"))
    outcome = graded.outcome if change is None else change(graded.outcome)
    return AskedJob.of(graded.labelled, {**CONFIG, **config}, outcome)


def test_jobs_on_the_order_of_one_outcome_are_counted_together_and_apart_from_classes(tmp_path, cohort):
    one = _graded(cohort)
    assert one == _graded(cohort)
    few = cohort[cohort.obs["subject"].astype(str).ne(str(cohort.obs["subject"].iloc[0])).to_numpy()].copy()
    others = [_graded(cohort, seed=8), _graded(few), _graded(cohort, change=lambda outcome: outcome + 1.0)]
    counts = [register_job(tmp_path, job) for job in (one, *others, one)]
    assert [(count.run, count.jobs) for count in counts] == [(1, 1), (2, 2), (3, 3), (4, 4), (1, 4)]
    # The halves of the same outcome, as two classes, are another question.
    halves = grade_cohort(cohort, Endpoint("si_post", "upper half", "lower half")).labelled
    assert register_job(tmp_path, AskedJob.of(halves, CONFIG)).jobs == 1
    assert not _graded(cohort, "si_pre").is_on_the_data_of(one)

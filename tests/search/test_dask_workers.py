"""The same units on a real Dask cluster of two worker processes, one of which dies."""

import os
from functools import partial

import numpy as np
import pytest

from responder_ml.build import build_workers
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.read import keep_rows
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import ConfigError, WorkerError
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders import BUILDERS
from responder_ml.job_sections import ComputeConfig
from responder_ml.search import dask_workers
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.unit_store import UnitStore
from responder_ml.search.workers import Workers

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed.*"),
    pytest.mark.filterwarnings("ignore:Sending large graph:UserWarning"),
]


@pytest.fixture(scope="module")
def compute():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield ComputeConfig(scheduler=cluster.scheduler_address)
        dask_workers._connect(cluster.scheduler_address).close()
        dask_workers._connect.cache_clear()


def _process(table, unit):
    return os.getpid(), float(table[unit])


def _die_once(folder, unit):
    if unit == 3 and not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(1)
    return unit * unit


def _refuse(unit):
    raise ConfigError(f"unit {unit}")


@pytest.fixture(scope="module")
def labelled():
    cohort = keep_rows(simulate_cohort(seed=3, n_genes=300, effect=2.0), {"region": "PFC"})
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder", ("drug",)))


def _search(workers, labelled):
    candidates = [
        Candidate("genes", BUILDERS["genes"](units="counts", max_genes=40), CLASSIFIERS[name], {}, name)
        for name in ("nearest_centroid", "elastic_net")
    ]
    procedure = Procedure(SearchData.of(labelled), candidates, SearchPlan(3, 2, 2, 1), workers)
    observed = procedure.observe(labelled.labels, 4)
    values = [*procedure.statistics([np.roll(labelled.labels, shift) for shift in range(20)], repeats=1)]
    return observed.auto.decisions, np.concatenate(values)


def test_units_come_back_in_order_from_other_processes(compute):
    table = np.arange(5000.0)
    answers = list(build_workers(compute).map(partial(_process, table), range(12)))
    assert [value for _, value in answers] == list(range(12))
    assert os.getpid() not in {process for process, _ in answers}


def test_a_search_on_the_cluster_gives_the_local_result_to_the_last_bit(compute, labelled, tmp_path):
    here, there = _search(Workers(1), labelled), _search(build_workers(compute, UnitStore(tmp_path)), labelled)
    for local, remote in zip(here, there, strict=True):
        np.testing.assert_array_equal(local, remote)
    # Kept by this process, and found by any other backend.
    assert len(list(tmp_path.glob("*.unit"))) == 4 + 3
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    for local, again in zip(here, _search(Workers(1, UnitStore(tmp_path)), labelled), strict=True):
        np.testing.assert_array_equal(local, again)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times


def test_a_worker_that_dies_costs_its_unit_only(compute, tmp_path):
    assert list(build_workers(compute).map(partial(_die_once, tmp_path), range(10))) == [n * n for n in range(10)]
    assert (tmp_path / "died").exists()


def test_an_error_of_a_unit_is_the_callers_and_stopping_early_leaves_the_cluster_usable(compute):
    with pytest.raises(ConfigError, match="unit 0"):
        list(build_workers(compute).map(_refuse, range(4)))
    results = build_workers(compute).map(abs, range(100))
    assert [next(results), next(results)] == [0, 1]
    results.close()
    assert list(build_workers(compute).map(abs, [-3, 2])) == [3, 2]


def test_a_scheduler_that_does_not_answer_is_reported(monkeypatch):
    monkeypatch.setattr(dask_workers, "_PATIENCE_SECONDS", 1)
    with pytest.raises(WorkerError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"):
        build_workers(ComputeConfig(scheduler="tcp://127.0.0.1:9"))


def test_dask_that_is_not_installed_is_reported(monkeypatch):
    monkeypatch.setattr("responder_ml.build.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"responder-ml\[dask\]"):
        build_workers(ComputeConfig(scheduler="tcp://127.0.0.1:9"))


@pytest.mark.parametrize("settings", [{"backend": "dask"}, {"backend": "processes", "scheduler": "tcp://127.0.0.1:9"}])
def test_backend_and_scheduler_belong_together(settings):
    with pytest.raises(ValueError, match="belong together"):
        ComputeConfig(**settings)


def test_a_job_that_still_names_the_backend_is_read_and_told_what_is_enough():
    assert ComputeConfig(backend="dask", scheduler="tcp://127.0.0.1:9").model_dump() == {
        "workers": -1,
        "scheduler": "tcp://127.0.0.1:9",
    }

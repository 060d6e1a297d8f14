"""The scheduler of a cluster is killed in the middle of the work: it is waited for, one message, and finished units are stored."""

import subprocess
import sys

import pytest

from responder_ml.errors import WorkerError
from responder_ml.search import dask_workers
from responder_ml.search.dask_workers import DaskWorkers
from responder_ml.search.unit_store import UnitStore
from responder_ml.search.workers import Workers

CLUSTER = """
import asyncio, logging, sys
from distributed import Scheduler, Worker

logging.disable()

async def main():
    async with Scheduler(host="127.0.0.1", port=int(sys.argv[1]), dashboard_address=":0") as scheduler:
        async with Worker(scheduler.address, nthreads=1, dashboard_address=":0"):
            print(scheduler.address, flush=True)
            await scheduler.finished()

asyncio.run(main())
"""
KILLED_AFTER, UNITS = 3, 9


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a cluster of one worker, and returns its process and its address."""
    pytest.importorskip("distributed")
    processes = []

    def start(port=0):
        command = [sys.executable, "-W", "ignore", "-c", CLUSTER, str(port)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path))
        return processes[-1], processes[-1].stdout.readline().strip()

    yield start
    for process in processes:
        process.kill()
        process.communicate()
    dask_workers._connect.cache_clear()


def test_a_scheduler_that_does_not_come_back_costs_no_finished_unit(start, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_workers, "_PATIENCE_SECONDS", 1)
    cluster, address = start()
    store = UnitStore(tmp_path / "units")
    store.folder.mkdir()
    results = DaskWorkers(address, store).map(abs, range(-UNITS, 0))
    assert [next(results) for _ in range(KILLED_AFTER)] == [9, 8, 7]
    cluster.kill()
    with pytest.raises(WorkerError, match="was lost during the work and did not come back within 1 s"):
        list(results)
    assert len(list(store.folder.glob("*.unit"))) >= KILLED_AFTER
    assert list(Workers(1, store).map(abs, range(-UNITS, 0))) == [*range(UNITS, 0, -1)]


def test_a_scheduler_that_is_started_again_goes_on(start, tmp_path, monkeypatch, whole):
    if not whole:
        pytest.skip("it waits for two clusters; make fuzz runs it")
    cluster, address = start()
    results = DaskWorkers(address).map(abs, range(-UNITS, 0))
    first = [next(results) for _ in range(KILLED_AFTER)]
    cluster.kill()
    cluster.wait()
    start(int(address.rpartition(":")[2]))
    assert [*first, *results] == [*range(UNITS, 0, -1)]

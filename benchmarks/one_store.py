"""Eight trainings at once on one tracking store that does not exist yet, again and again: all of them must be tracked.

    python benchmarks/one_store.py --rounds 10 --runs 8
    python benchmarks/one_store.py --rounds 10 --runs 8 --postgres

The work of the trainings is left out: each process has a finished run folder and sends it when all have started, which is when a
Snakemake workflow loses runs. ``--postgres`` starts a server of its own for every round.
"""

import argparse
import importlib
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]


def send_one(barrier, folder, uri, queue):
    """Send a run as soon as all others are ready."""
    from responder_ml.errors import TrackingError
    from responder_ml.records.run import read_run
    from responder_ml.tracking.mlflow import send

    run = read_run(folder)
    barrier.wait()
    try:
        queue.put(("sent", send(run, folder, None, loader="responder_ml.serve", uri=uri)))
    except TrackingError as problem:
        queue.put(("lost", str(problem)))


def one_round(folder, count, uri):
    """Return what became of ``count`` runs sent at once, the rows the store then has, and the seconds it took."""
    from tests.conftest import RESULT

    from responder_ml.records.result import Result
    from responder_ml.records.run import Run, write_run

    # Forked from a process that has imported MLflow, the senders begin at the same moment, and a round takes seconds.
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(count), context.Queue()
    processes = []
    for number in range(count):
        run = Run(
            Result.model_validate({**RESULT, "name": f"run-{number}", "seed": number}), {}, {"name": f"run-{number}"}
        )
        write_run(run, folder / f"run-{number}")
        arguments = (barrier, folder / f"run-{number}", uri, queue)
        processes.append(context.Process(target=send_one, args=arguments))
    begin = time.monotonic()
    for process in processes:
        process.start()
    outcomes = [queue.get() for _ in processes]
    for process in processes:
        process.join()
    return outcomes, rows_of(uri), time.monotonic() - begin


def rows_of(uri):
    """Return the finished runs of a store."""
    from mlflow import MlflowClient

    from responder_ml.tracking.store import resolve_store

    client = MlflowClient(tracking_uri=resolve_store(uri))
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return [run for run in client.search_runs(experiments) if run.info.status == "FINISHED"]


def main():
    """Run all rounds and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
    importlib.import_module("responder_ml.tracking.mlflow")
    lost = 0
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if options.postgres:
                outcomes, rows, seconds = on_postgres(folder, options.runs)
            else:
                outcomes, rows, seconds = one_round(folder, options.runs, f"sqlite:///{folder / 'mlflow.db'}")
        failures = [message for outcome, message in outcomes if outcome == "lost"]
        lost += options.runs - len(rows)
        print(f"round {number + 1}: {len(rows)} of {options.runs} tracked in {seconds:.0f} s {failures}", flush=True)
    print(f"lost in all: {lost}")
    sys.exit(lost > 0)


def on_postgres(folder, count):
    """Do a round on a server that has just been made."""
    import os
    import pwd

    from tests.tracking.test_postgres import Server

    data = Path(tempfile.mkdtemp(prefix="postgres.", dir="/tmp"))
    if os.getuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(data, owner.pw_uid, owner.pw_gid)
    server = Server(data)
    server.start()
    try:
        return one_round(folder, count, server.uri)
    finally:
        server.stop()


if __name__ == "__main__":
    main()

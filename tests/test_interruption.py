"""A real ``train`` killed at any moment, and started again, ends where an undisturbed one does.

``make fuzz`` kills it sixteen times; the default run twice, beside ``tests/faults/test_kill_points.py``, which kills at changes of
files.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
import yaml

from responder_ml.records.run import TABLES

KILLS = 16 if os.environ.get("RESPONDER_ML_FUZZ") == "1" else 1
JOB = {
    "name": "tiny",
    "cohort": {"source": "simulated", "where": {"region": "PFC"}, "params": {"n_genes": 300, "effect": 1.0}},
    "endpoint": {
        "column": "response",
        "positive": "responder",
        "negative": "non_responder",
        "strata": ["drug"],
        "nuisance": ["batch"],
    },
    "builders": [{"kind": "genes", "params": {"max_genes": 30}}],
    "classifiers": [{"kind": "elastic_net", "params": {"l1_ratio": 0.0}}, {"kind": "nearest_centroid"}],
    "search": {"folds": 3, "repeats": 3, "inner_folds": 2, "trials": 3},
    "null": {"permutations": 24},
    "tracking": {"enabled": False},
    "compute": {"workers": 1},
    "seed": 3,
}
# The command as a user gives it, but for a line in a log after every unit that is safely on disk. Every process is forked from
# one that has done the imports, so that kills hit the work and not the imports.
PROGRAM = """
import os, sys
import shap, skops.io, optuna, responder_ml.train
from responder_ml.cli import main
from responder_ml.search import unit_store
write, log = unit_store.write_unit, os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def logged(path, key, result):
    write(path, key, result)
    os.write(log, f"{key}\\n".encode())
unit_store.write_unit = logged
for line in sys.stdin:
    process = os.fork()
    if not process:
        main()
        os._exit(1)
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""
COMMAND = ["train", "job.yaml", "--out", "run", "--bundle", "bundle"]


class Training:
    """One job in a folder of its own, and the log of the units that all of its processes have finished."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        (folder / "job.yaml").write_text(yaml.safe_dump(JOB))
        self.server = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *COMMAND],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )

    def run(self, moment=None):
        """Start the command; kill it after so many seconds; return its exit code and how long it took."""
        self.server.stdin.write("start\n")
        process, begin = int(self.server.stdout.readline()), time.monotonic()
        timer = threading.Timer(moment or 0, os.kill, (process, signal.SIGKILL))
        if moment is not None:
            timer.start()
        lines = iter(self.server.stdout.readline, "")
        code = next(int(line) for line in lines if line.lstrip("-").rstrip().isdigit())
        timer.cancel()
        return code, time.monotonic() - begin

    def complete(self):
        """Whether all is done and cleared away, be the process dead before it could say so."""
        return (self.folder / "run").exists() and not (self.folder / ".run.units").exists()

    def units(self):
        log = self.folder / "log"
        return Counter(log.read_text().splitlines()) if log.exists() else Counter()

    def files(self):
        """Everything in the run folder but what tells the time."""
        run = self.folder / "run"
        result = json.loads((run / "result.json").read_text())
        del result["timings"]
        tables = {name: (run / f"{name}.csv").read_bytes() for name in TABLES}
        return {"result": json.dumps(result, indent=2).encode(), "config": (run / "config.yaml").read_bytes(), **tables}


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interruption")
    both = Training(folder / "undisturbed"), Training(folder / "killed")
    yield both
    for training in both:
        training.server.communicate()


def test_kills_change_nothing_and_no_finished_unit_is_repeated(trainings):
    whole, training = trainings
    code, duration = whole.run()
    assert code == 0
    moments, killed = random.Random(20261125), 0
    for _ in range(KILLS):
        code, _ = training.run(moments.uniform(0.0, duration))
        killed += code == -signal.SIGKILL
        if training.complete():
            # Quicker than the killer: the next one begins anew.
            assert training.files() == whole.files()
            assert training.units() == whole.units()
            shutil.rmtree(training.folder / "run")
            os.truncate(training.folder / "log", 0)
    assert killed >= KILLS // 2
    assert training.run()[0] == 0
    assert training.files() == whole.files()
    assert training.units() == whole.units()
    assert set(whole.units().values()) == {1}
    assert sorted(path.name for path in training.folder.iterdir()) == [
        ".register.jsonl", ".register.lock", "bundle", "job.yaml", "log", "run"
    ]  # fmt: skip

"""Commands run again and again in one process that has done the imports, and killed at the n-th change of a file.

A change is an operation on a path below the folder the command runs in: opening a file to write, renaming, removing, making a
folder. The count of these, and no clock, says when the process is killed, so every run meets the same moments. A file that was
being written is left torn.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

JOB = {
    "name": "tiny",
    "cohort": {"source": "simulated", "where": {"region": "PFC"}, "params": {"n_genes": 300, "regions": ["PFC"]}},
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder", "strata": ["drug"]},
    "builders": [{"kind": "genes", "params": {"max_genes": 10}}],
    "classifiers": [{"kind": "nearest_centroid"}],
    "search": {"folds": 2, "repeats": 1, "inner_folds": 2, "inner_repeats": 1, "trials": 0},
    "null": {"permutations": 19},
    "claims": {"relabellings": 19, "bootstrap": 2},
    "tracking": {"enabled": False},
    "compute": {"workers": 1},
    "seed": 3,
}
PROGRAM = """
import json, os, signal, sys, tempfile
import shap, skops.io, optuna, responder_ml.train, responder_ml.study, responder_ml.claims, responder_ml.selftest
import responder_ml.transfer, responder_ml.fetch
from responder_ml import progress
from responder_ml.cli import main

progress.Clock.read = lambda self: {}
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}


def run(order):
    os.chdir(order["folder"])
    root, count = os.getcwd() + "/", [0]

    def watch(event, arguments):
        if event == "open":
            if not isinstance(arguments[2], int) or not arguments[2] & (os.O_WRONLY | os.O_RDWR):
                return
        elif event not in CHANGES:
            return
        path = arguments[0]
        if not isinstance(path, (str, bytes, os.PathLike)) or not os.path.abspath(os.fsdecode(path)).startswith(root):
            return
        count[0] += 1
        if count[0] == order["at"]:
            if event == "open" and arguments[2] & os.O_TRUNC:
                order["at"] = None
                with open(path, "wb") as torn:
                    # A download goes on from what it has, which is never anything but its beginning.
                    torn.write(b"" if os.fsdecode(path).endswith(".part") else b"to")
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    sys.argv = ["responder-ml", *order["command"]]
    silence = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    code = 0
    # Of the processor's time, so that a busy machine is no hang; who waits for ever takes none of it.
    signal.setitimer(signal.ITIMER_PROF, order["seconds"])
    signal.alarm(6 * order["seconds"])
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
    return code, count[0]


def warm_up(job):
    # What is compiled, and what is imported when it is first used, is then there in every fork.
    here, before = os.getcwd(), sys.stdout
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as sys.stdout:
        os.chdir(folder)
        open("job.yaml", "w").write(job)
        sys.argv = ["responder-ml", "train", "job.yaml", "--out", "run", "--bundle", "bundle"]
        try:
            main()
        except SystemExit as stop:
            assert not stop.code
        os.chdir(here)
    sys.stdout = before


warm_up(sys.argv[1])
for line in sys.stdin:
    order = json.loads(line)
    reader, writer = os.pipe()
    process = os.fork()
    if not process:
        os.close(reader)
        try:
            code, changes = run(order)
            os.write(writer, f"{changes}".encode())
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(code)
    os.close(writer)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    changes = os.read(reader, 100).decode() or "0"
    os.close(reader)
    print(f"RESULT {status} {changes}", flush=True)
"""


class Commands:
    """A process that runs commands, each in a fork of its own.

    Parameters
    ----------
    log
        File for what the commands print.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self._server = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, yaml.safe_dump(JOB)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def run(self, folder: Path, command: list[str], at: int | None = None, seconds: int = 600) -> tuple[int, int]:
        """Return the exit code, negative for a signal, and how many changes of files there were."""
        order = {"folder": str(folder), "command": command, "at": at, "log": str(self.log), "seconds": seconds}
        self._server.stdin.write(json.dumps(order) + "\n")
        for line in iter(self._server.stdout.readline, ""):
            if line.startswith("RESULT"):
                _, code, changes = line.split()
                return int(code), int(changes)
        raise AssertionError("the process that runs the commands has ended")

    def close(self) -> None:
        """End the process."""
        self._server.communicate()


def checksums(folder: Path) -> dict[str, str]:
    """Return the digest of every file below a folder, by its path in it; what tells the time is left out."""
    sums = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.name == ".register.jsonl":
                entries = [json.loads(line) for line in content.splitlines()]
                content = json.dumps([{**entry, "time": ""} for entry in entries]).encode()
            sums[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return sums


@pytest.fixture(scope="session")
def whole():
    """Whether everything is tried, as by ``make fuzz``, or a few things only."""
    return os.environ.get("RESPONDER_ML_FUZZ") == "1"


@pytest.fixture
def tell(capsys, whole):
    """Return a function that adds a line to the table of ``make fuzz``."""

    def tell(line):
        if whole:
            with capsys.disabled():
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()

    return tell


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """Commands that can be killed at any change of a file."""
    running = Commands(tmp_path_factory.mktemp("log") / "log")
    yield running
    running.close()


@pytest.fixture(scope="session")
def sums():
    """Return the function that takes the digest of every file below a folder."""
    return checksums

"""A password planted in a job is nowhere afterwards: not on the terminal, in a file, in a store or on a command line."""

import threading
import time
from pathlib import Path

import yaml
from tests.faults.conftest import JOB

SECRETS = ("swordfish77", "hunter2hunter2")
ADDRESSES = {
    "password": "postgresql://ann:swordfish77@127.0.0.1:9/runs",
    "quoted": "postgresql://ann:swordfish77%40hunter2hunter2@127.0.0.1:9/runs",
    "parameter": "postgresql://127.0.0.1:9/runs?user=ann&password=swordfish77",
    "token": "http://swordfish77hunter2hunter2@127.0.0.1:9/",
    "not quoted": "postgresql://ann:swordfish77/hunter2hunter2@127.0.0.1:9/runs",
    "no address": "postgres//ann:swordfish77@127.0.0.1",
}


class CommandLines(threading.Thread):
    """Looks at the command lines of all processes while others work."""

    def __init__(self):
        super().__init__(daemon=True)
        self.found, self.looks, self.done = [], 0, threading.Event()

    def run(self):
        while not self.done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes()
                except OSError:
                    continue
                self.found += [line for secret in SECRETS if secret.encode() in line]
            self.looks += 1
            time.sleep(0.05)


def _places_of(folder):
    return [
        (path, secret)
        for path in folder.rglob("*")
        if path.is_file() and path.name != "job.yaml"
        for secret in SECRETS
        if secret.encode() in path.read_bytes()
    ]


def test_a_planted_password_is_found_nowhere(commands, tmp_path, whole):
    lines = CommandLines()
    lines.start()
    for name, uri in ADDRESSES.items() if whole else list(ADDRESSES.items())[:2]:
        place = tmp_path / name
        place.mkdir()
        (place / "job.yaml").write_text(yaml.safe_dump({**JOB, "tracking": {"uri": uri}}))
        begin = commands.log.stat().st_size if commands.log.exists() else 0
        code, _ = commands.run(place, ["train", "job.yaml", "--out", "run", "--bundle", "bundle"])
        assert code in (0, 2)
        if code == 0:
            assert "***" in (place / "run" / "config.yaml").read_text()
            commands.run(place, ["track", "run"])
        commands.run(place, ["ui", "--config", "job.yaml"], seconds=20)
        said = commands.log.read_bytes()[begin:].decode()
        assert "Error:" in said
        assert "Traceback" not in said
        assert not [secret for secret in SECRETS if secret in said], said
        assert _places_of(place) == []
    lines.done.set()
    lines.join()
    assert lines.looks
    assert lines.found == []

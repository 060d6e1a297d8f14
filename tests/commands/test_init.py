"""The command on a real terminal: a pseudo-terminal whose screen is read back."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from responder_ml import cli
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.cohort.write import write_cohort


@pytest.fixture
def folder(tmp_path):
    write_cohort(simulate_cohort(seed=7, n_genes=300), tmp_path)
    return tmp_path


def _in_terminal(folder: Path, answers: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run the command in a terminal; type each answer once its question is on the screen."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "responder_ml", "init", *arguments]
    # A dumb terminal gets no colours to wade through.
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdin=child, stdout=child, stderr=child, cwd=folder, env=environment)
    os.close(child)
    screen, end = "", time.monotonic() + 60
    waiting = dict(answers)
    while time.monotonic() < end:
        if not select.select([parent], [], [], 0.1)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            screen += os.read(parent, 4096).decode()
        except OSError:  # the terminal is closed when the command ends
            break
        for question in [question for question in waiting if question in screen and screen.rstrip().endswith(":")]:
            os.write(parent, f"{waiting.pop(question)}\n".encode())
            break
    os.close(parent)
    return process.wait(10), screen


def test_in_a_terminal_it_asks_and_takes_numbers_names_and_nothing(folder):
    answers = {"which one is this job about": "PFC", "Which column holds": "response", "before or after": "2"}
    code, screen = _in_terminal(folder, answers, "counts.tsv.gz", "samples.tsv")
    assert code == 0, screen
    assert "response" in screen
    assert "RML01" in screen
    assert "python -m responder_ml train job.yaml" in screen
    assert "taken: after" in (folder / "job.yaml").read_text()


def test_elsewhere_it_refuses_with_candidates_and_flag(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["responder-ml", "init", "counts.tsv.gz", "samples.tsv"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "--region and one of:" in error
    assert "PFC   25 samples" in error
    assert not (folder / "job.yaml").exists()

import os
import sys
import webbrowser

import pytest

from responder_ml.exceptions import TrackingError
from responder_ml.tracking.ui import open_ui, ui_command


@pytest.fixture
def started(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "execve", lambda *args: calls.append(args))
    return calls


def test_the_page_serves_the_store_and_the_artifacts_beside_it(tmp_path, started, monkeypatch):
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    (tmp_path / "store.db").touch()
    open_ui(f"sqlite:///{tmp_path}/store.db", 5123)
    ((program, command, settings),) = started
    assert program == sys.executable
    assert command[1:4] == ["-m", "mlflow", "ui"]
    assert f"sqlite:///{tmp_path}/store.db" in command
    assert (tmp_path / "mlartifacts").as_uri() in command
    assert command[-2:] == ["--port", "5123"]
    assert settings["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_without_a_port_mlflow_takes_its_own():
    assert "--port" not in ui_command("sqlite:////tmp/store.db", None)


def test_a_store_that_is_not_there_is_not_made(tmp_path, started):
    with pytest.raises(TrackingError, match=r"no tracking store .*store\.db"):
        open_ui(f"sqlite:///{tmp_path}/store.db")
    assert not started
    assert not (tmp_path / "store.db").exists()


def test_a_servers_own_page_is_opened(monkeypatch, started):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or len(opened) == 1)
    open_ui("http://lab:5000")
    assert (opened, started) == (["http://lab:5000"], [])
    with pytest.raises(TrackingError, match="Open http://lab:5000"):
        open_ui("http://lab:5000")

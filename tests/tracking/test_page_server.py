import io
import json
import signal
import socket
import subprocess
import sys
import webbrowser
from contextlib import closing, contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from responder_ml.errors import TrackingError
from responder_ml.tracking import page_server
from responder_ml.tracking.page_server import open_ui, served, start_page, ui_command
from responder_ml.tracking.views import FIRST_VIEW

STORE = "sqlite:////tmp/store.db"
PAGE = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["MLFLOW_DISABLE_TELEMETRY"].encode())
    def log_message(self, *args):
        pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""


@pytest.fixture
def port():
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return free.getsockname()[1]


@pytest.fixture
def _small_page(monkeypatch):
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    monkeypatch.setattr(page_server, "ui_command", lambda _store, port: [sys.executable, "-c", PAGE, str(port)])


def test_the_command_serves_the_store_and_the_artifacts_beside_it():
    command = ui_command(STORE, 5123)
    assert command[:4] == [sys.executable, "-m", "mlflow", "ui"]
    assert not any(STORE in part for part in command)  # every user of the machine can read it there
    assert command[command.index("--artifacts-destination") + 1] == "file:///tmp/mlartifacts"
    assert command[command.index("--port") + 1] == "5123"
    assert "--artifacts-destination" not in ui_command("postgresql://lab/runs", 5123)


@pytest.mark.usefixtures("_small_page")
def test_the_page_is_there_within_the_block_and_gone_after_it(port):
    with served(STORE, port) as (address, process):
        with urlopen(address) as answer:
            assert answer.read() == b"true"  # telemetry is off
        assert process.poll() is None
    assert process.poll() is not None
    with pytest.raises(OSError):
        urlopen(address)


UI = """
import sys
from responder_ml.tracking import page_server
server = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE);" + sys.argv[3]
page_server.ui_command = lambda _store, port: [sys.executable, "-c", server, str(port)]
page_server._show = lambda page, say: print("shown", flush=True)
page_server.open_ui(f"sqlite:///{sys.argv[1]}", int(sys.argv[2]))
"""


def _descendants(process):
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_no_process_is_left_behind_when_it_is_stopped(port, tmp_path, number):
    (tmp_path / "store.db").touch()
    command = [sys.executable, "-c", UI, str(tmp_path / "store.db"), str(port), PAGE]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"shown\n"
        started = _descendants(process)
        assert len(started) == 2  # the server, and what it has started in its turn
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    assert not [one for one in started if one.is_running()]


def test_what_does_not_end_when_it_is_told_to_is_killed(port, monkeypatch):
    stubborn = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);{PAGE}"
    monkeypatch.setattr(page_server, "ui_command", lambda _store, port: [sys.executable, "-c", stubborn, str(port)])
    monkeypatch.setattr(page_server, "_END_SECONDS", 0.2)
    with served(STORE, port) as (_, process):
        pass
    assert not psutil.pid_exists(process.pid)


def test_a_taken_port_is_named():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TrackingError, match=rf"Port {port} cannot be used .*--port"), served(STORE, port):
            pass


def test_what_the_page_says_of_its_store_has_no_password(port, monkeypatch, capfd):
    said = (
        "import os, sys; store = os.environ['MLFLOW_BACKEND_STORE_URI']; print('cannot open', store, flush=True); "
        "sys.exit(f'connection to server failed: password=swordfish77 or swordfish77 for {store}')"
    )
    monkeypatch.setattr(page_server, "ui_command", lambda *_: [sys.executable, "-c", said])
    with pytest.raises(TrackingError, match="did not start"), served("postgresql://ann:swordfish77@lab/runs", port):
        pass
    output = "".join(capfd.readouterr())
    assert "cannot open postgresql://ann:***@lab/runs" in output
    assert "connection to server failed: password=*** or *** for" in output
    assert "swordfish77" not in output


def test_a_page_that_does_not_start_is_named(port, monkeypatch):
    monkeypatch.setattr(page_server, "ui_command", lambda *_: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(TrackingError, match="did not start"), served("postgresql://me:secret@lab/runs", port):
        pass


@pytest.fixture
def opened(monkeypatch):
    pages = []
    monkeypatch.setattr(webbrowser, "open", lambda page: pages.append(page) or True)
    return pages


@pytest.fixture
def requested(monkeypatch):
    """Stand in for MLflow's interface: it has one experiment, number 7."""
    addresses = []

    def urlopen(address, timeout):
        addresses.append(address)
        if "experiment_name=responder_ml" not in address:
            raise URLError("404")
        return io.BytesIO(json.dumps({"experiment": {"experiment_id": "7"}}).encode())

    monkeypatch.setattr(page_server, "urlopen", urlopen)
    return addresses


def test_the_start_page_is_the_experiments_first_view(requested):
    page = start_page("http://lab:5000", "responder_ml")
    assert page == f"http://lab:5000/#/experiments/7/runs?viewStateShareKey={FIRST_VIEW}&workflowType=machine_learning"
    assert requested == ["http://lab:5000/api/2.0/mlflow/experiments/get-by-name?experiment_name=responder_ml"]


@pytest.mark.usefixtures("requested")
def test_an_experiment_that_is_not_there_leads_to_the_list():
    assert start_page("http://lab:5000", "a b/c") == "http://lab:5000/#/experiments"


class Ended:
    def wait(self):
        return 0


@pytest.mark.usefixtures("requested")
def test_a_store_of_ones_own_is_served_shown_and_said(tmp_path, opened, monkeypatch):
    stores, said = [], []

    @contextmanager
    def served(store, port):
        stores.append((store, port))
        yield "http://127.0.0.1:5123", Ended()

    monkeypatch.setattr(page_server, "served", served)
    (tmp_path / "store.db").touch()
    open_ui(f"sqlite:///{tmp_path}/store.db", 5123, say=said.append)
    assert stores == [(f"sqlite:///{tmp_path}/store.db", 5123)]
    assert opened[0].startswith("http://127.0.0.1:5123/#/experiments/7/runs?")
    assert said == [f"MLflow: {opened[0]}"]


def test_a_store_that_is_not_there_is_not_made(tmp_path, opened):
    with pytest.raises(TrackingError, match=r"no tracking store .*store\.db"):
        open_ui(f"sqlite:///{tmp_path}/store.db")
    assert not opened
    assert not (tmp_path / "store.db").exists()


@pytest.mark.usefixtures("requested")
def test_a_servers_own_page_is_opened(opened):
    open_ui("http://lab:5000", experiment="elsewhere")
    assert opened == ["http://lab:5000/#/experiments"]


@pytest.mark.usefixtures("requested")
def test_without_a_browser_the_address_is_not_lost(monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _page: False)
    with pytest.raises(TrackingError, match="Open http://lab:5000/"):
        open_ui("http://lab:5000")
    said = []
    open_ui("http://lab:5000", say=said.append)
    assert len(said) == 1

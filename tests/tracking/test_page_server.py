import os
import signal
import socket
import sys
import time
from contextlib import closing
from urllib.request import urlopen

import pytest

from responder_ml.errors import TrackingError
from responder_ml.tracking import page_server
from responder_ml.tracking.page_server import served, ui_command

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
    assert command[command.index("--backend-store-uri") + 1] == STORE
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


@pytest.mark.usefixtures("_small_page")
def test_ctrl_c_ends_it_quietly(port):
    with served(STORE, port) as (_, process):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    assert process.poll() is not None


def test_a_taken_port_is_named():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TrackingError, match=rf"Port {port} cannot be used .*--port"), served(STORE, port):
            pass


def test_a_page_that_does_not_start_is_named(port, monkeypatch):
    monkeypatch.setattr(page_server, "ui_command", lambda *_: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(TrackingError, match="did not start"), served("postgresql://me:secret@lab/runs", port):
        pass

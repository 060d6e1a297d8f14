"""A PostgreSQL server as the tracking store: a real one, which also goes away while a run is being sent."""

import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from responder_ml.errors import TrackingError
from responder_ml.tracking.mlflow import send
from responder_ml.tracking.store import resolve_store

LOADER = "loader_of_a_tracking_test"
# Debian keeps the server's programs off the PATH.
PROGRAMS = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), Path("absent")).parent

pytestmark = pytest.mark.skipif(not (PROGRAMS / "pg_ctl").exists(), reason="there is no PostgreSQL server here")


class Server:
    """A server of one test module, on this machine only, without passwords and without waiting for the disk."""

    def __init__(self, folder):
        self.folder = folder
        self.owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "--no-sync", "--auth=trust", "--username=keeper", "--encoding=UTF8", "--locale=C")

    @property
    def uri(self):
        return f"postgresql://keeper@127.0.0.1:{self.port}/postgres"

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}", f"--options={options}")

    def stop(self):
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate", check=False)  # a test may have stopped it

    def _run(self, program, *arguments, check=True):
        command = [*self.owner, PROGRAMS / program, "--pgdata", self.folder / "data", *arguments]
        subprocess.run(command, check=check, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("psycopg2")
    # Not below pytest's own temporary folder, which the user `postgres` may not enter.
    folder = Path(tempfile.mkdtemp(prefix="postgres.", dir="/tmp"))
    if os.getuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        running = Server(folder)
        running.start()
        yield running
        running.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def _files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_sent_to_postgres_can_be_read_back_and_is_not_doubled(run, folder, bundle, server, capfd):
    run_id = send(run, folder, bundle, loader=LOADER, uri=server.uri, register=True)
    assert send(run, folder, bundle, loader=LOADER, uri=server.uri, register=True) == run_id
    assert capfd.readouterr() == ("", "")
    assert Path("mlruns").is_dir()  # where the files of a run go that is sent to a bare database
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=resolve_store(server.uri))
    experiment = client.get_experiment_by_name("responder_ml").experiment_id
    runs = client.search_runs([experiment], "params.classifier = 'xgboost' and metrics.auroc > 0.7")
    assert [row.info.run_name for row in runs] == ["genes+xgboost"]
    assert len(client.search_runs([experiment])) == 4
    assert client.get_run(run_id).data.metrics["p_value"] == 0.014
    assert len(client.get_metric_history(run_id, "each_fold/auroc")) == 9
    answer = Path(client.download_artifacts(run_id, "result.json"))
    assert json.loads(answer.read_text(encoding="utf-8")) == run.result.content()
    (version,) = client.search_model_versions("name = 'pfc-response'")
    assert version.run_id == run_id


def test_a_server_that_goes_away_while_a_run_is_sent_loses_nothing(run, folder, server, tmp_path, monkeypatch, capfd):
    from mlflow import MlflowClient

    before, log = _files(folder), MlflowClient.log_batch

    def leave(self, *args, **kwargs):
        server.stop()
        return log(self, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "log_batch", leave)
        with pytest.raises(
            TrackingError, match=r"^The run could not be sent to [^\n]*; repair the store[^\n]*`track`\.$"
        ):
            send(run, folder, None, loader=LOADER, uri=server.uri, experiment="lost")
    with pytest.raises(TrackingError, match=rf"^Nothing answers at 127\.0\.0\.1:{server.port} [^\n]*$"):
        send(run, folder, None, loader=LOADER, uri=server.uri, experiment="lost")
    assert _files(folder) == before
    assert capfd.readouterr() == ("", "")
    server.start()
    run_id = send(run, folder, None, loader=LOADER, uri=server.uri, experiment="lost")
    client = MlflowClient(tracking_uri=resolve_store(server.uri))
    rows = client.search_runs([client.get_experiment_by_name("lost").experiment_id])
    assert len(rows) == 4  # the half that arrived before is gone
    assert {row.info.status for row in rows} == {"FINISHED"}
    assert run_id in {row.info.run_id for row in rows}

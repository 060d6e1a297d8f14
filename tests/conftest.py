import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from responder_ml.records.result import Result

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def rng():
    return np.random.default_rng(20261123)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.exists():
        pytest.skip("../shared/data is not beside the project")
    return SHARED


RESULT = {
    "name": "pfc",
    "simulated": True,
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder", "units": "counts"},
    "n": {"samples": 13, "subjects": 13, "positive": 6, "negative": 7, "genes": 400},
    "headline": {"auroc": 0.7, "auroc_ci": [0.5, 0.9]},
    "null": None,
    "baselines": [],
    "candidates": [],
    "audit": [],
    "verdict": {"level": "evidence", "sentence": "Simulated."},
    "search": {"folds": 5, "repeats": 2, "inner_folds": 3, "trials": 10},
    "data_sha256": "0" * 64,
    "seed": 7,
}
NULL = {
    "p_value": 0.25, "p_interval": [0.2, 0.3], "permutations": 999, "labellings": 700, "observed": 0.7, "null_mean": 0.5,
    "null_sd": 0.1, "exact": False, "stopped_early": False, "min_attainable_p": 0.001,
}  # fmt: skip


@pytest.fixture(scope="session")
def make_result():
    """Return a result whose sections are complete, whatever of them a test names."""

    def make(**sections) -> Result:
        content = {**RESULT, **sections}
        for name in ("endpoint", "n", "headline", "verdict", "search"):
            content[name] = {**RESULT[name], **content[name]}
        if content["null"] is not None:
            conditional = content["null"].get("conditional")
            content["null"] = {**NULL, **content["null"], "conditional": conditional and {**NULL, **conditional}}
        return Result.model_validate(content)

    return make


GRADED_JOB = {
    "name": "ratio",
    "cohort": {
        "source": "simulated",
        "where": {"region": "PFC"},
        "params": {"effect": 3.0, "n_genes": 300, "regions": ["PFC"], "behaviour_effect": 4.0},
    },
    "endpoint": {"kind": "score", "column": "social_interaction_ratio", "strata": ["drug"], "nuisance": ["batch"]},
    "builders": ["genes", "all_genes"],
    "regressors": ["ridge"],
    "search": {"repeats": 2, "folds": 3},
    "null": {"permutations": 12},
    "tracking": {"enabled": False},
    "compute": {"workers": 1},
}


@pytest.fixture(scope="session")
def graded_training(tmp_path_factory):
    """A training on a graded outcome in Python; its folders are not to be changed."""
    import responder_ml as rml

    folder = tmp_path_factory.mktemp("graded-training")
    return rml.train(rml.Job(**GRADED_JOB), out=folder / "run", bundle=folder / "model")


class GeoServer:
    """A local server of files; ``troubles`` holds, per path, what goes wrong with its next requests.

    A trouble is ``("drop", n)`` (close after n bytes), ``("stall", seconds)`` (silence after half), ``("status", code)``, or
    ``("body", bytes)`` (another content with status 200), ``("redirect", address)`` or
    ``("length", text)``.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.troubles: dict[str, list[tuple]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.ranges = True
        self.etags = True
        self.address = ""


class _Handler(BaseHTTPRequestHandler):
    geo: GeoServer

    def do_GET(self) -> None:
        geo, span = self.geo, self.headers.get("Range")
        geo.requests.append((self.path, span))
        trouble = geo.troubles[self.path].pop(0) if geo.troubles.get(self.path) else ("none",)
        if trouble[0] in ("redirect", "length"):
            self.send_response(302 if trouble[0] == "redirect" else 200)
            self.send_header("Location" if trouble[0] == "redirect" else "Content-Length", trouble[1])
            return self.end_headers()
        if trouble[0] == "status" or self.path not in geo.files:
            return self.send_error(trouble[1] if trouble[0] == "status" else 404)
        body = trouble[1] if trouble[0] == "body" else geo.files[self.path]
        etag = f'"{hash(body)}"'
        start = 0
        if span and geo.ranges and self.headers.get("If-Range", etag) == etag:
            start = int(span.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if geo.etags:
            self.send_header("ETag", etag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        return self._send(body[start:], trouble)

    def _send(self, body: bytes, trouble: tuple) -> None:
        if trouble[0] == "drop":
            body = body[: trouble[1]]
            self.close_connection = True
        try:
            if trouble[0] == "stall":
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                time.sleep(trouble[1])
                body = body[len(body) // 2 :]
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def geo(monkeypatch) -> Iterator[GeoServer]:
    """Serve files from this machine while a test lasts."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    geo_server = GeoServer()
    handler = type("Handler", (_Handler,), {"geo": geo_server})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        geo_server.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield geo_server
        server.shutdown()


@pytest.fixture
def full_disk():
    """Return a context in which no file of this process grows beyond so many bytes, as on a disk that is full."""
    import resource

    @contextmanager
    def full_disk(most_bytes):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return full_disk

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest

from responder_ml.bundles.bundle import write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import CoverageError, ExpressionError
from responder_ml.features.builders.genes import Genes
from responder_ml.records.run import Run, write_run
from responder_ml.score import score
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.serve import _load_pyfunc
from responder_ml.tracking.mlflow import send
from responder_ml.train import SERVING


@pytest.fixture(scope="module")
def cohort():
    everything = simulate_cohort(seed=5, n_genes=400, replicates=3, regions=("PFC",))
    return everything[everything.obs["response"].isin(["responder", "non_responder"])].copy()


@pytest.fixture(scope="module")
def bundle(cohort, tmp_path_factory):
    labelled = label_cohort(cohort[::2].copy(), Endpoint("response", "responder", "non_responder"))
    model = PrefixModel(Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 20)
    model.fit(labelled.expression, labelled.sample_labels, genes=labelled.genes)
    result = {
        "name": "served",
        "simulated": True,
        "endpoint": {"units": "counts"},
        "n": {},
        "verdict": {"level": "evidence", "sentence": "Simulated."},
        "versions": {},
    }
    folder = tmp_path_factory.mktemp("bundles") / "served"
    write_bundle(pack_bundle(model, labelled, result), folder)
    return folder


@pytest.fixture(scope="module")
def table(cohort):
    samples = cohort[1::2]
    return pd.DataFrame(np.asarray(samples.X), index=samples.obs_names.astype(str), columns=samples.var_names)


@pytest.fixture(scope="module")
def scored(bundle, table, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "samples.csv"
    table.to_csv(path)
    return score(bundle, path)


@pytest.fixture(scope="module")
def served(bundle):
    return _load_pyfunc(str(bundle))


def _same(answer, scored):
    assert list(answer.columns) == list(scored.columns)
    for column in scored.columns:
        if pd.api.types.is_numeric_dtype(scored[column]):
            np.testing.assert_allclose(answer[column].astype(float), scored[column].astype(float), rtol=0, atol=1e-12)
        else:
            assert answer[column].tolist() == scored[column].tolist()


def test_a_posted_table_gets_what_score_writes(served, table, scored):
    _same(served.predict(table), scored)


def test_samples_may_be_named_by_a_column(served, table, scored):
    named = table.reset_index(names="sample")
    _same(served.predict(named[[*table.columns[::-1], "sample"]]), scored)


def test_a_missing_value_is_none_and_never_nan(bundle, cohort):
    labelled = label_cohort(cohort[::2].copy(), Endpoint("response", "responder", "non_responder"))
    answer = _load_pyfunc(str(bundle)).predict(pd.DataFrame(labelled.expression[:3], columns=labelled.genes))
    json.dumps(answer.to_dict("records"), allow_nan=False)


def test_text_is_refused_by_name(served, table):
    broken = table.astype(object)
    broken.iloc[0, broken.columns.get_loc(table.columns[3])] = "high"
    with pytest.raises(ExpressionError, match=f"'{table.columns[3]}'"):
        served.predict(broken)


def test_too_few_genes_are_refused(served, table):
    with pytest.raises(CoverageError):
        served.predict(table.iloc[:, :30])


@pytest.mark.parametrize("loader", [SERVING, "responder_ml.serving"], ids=["loader", "former name of the loader"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mlflow_loads_a_logged_bundle_with_the_numbers_of_score(bundle, table, scored, tmp_path, loader, make_result):
    from mlflow import MlflowClient, pyfunc

    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    run = _run(make_result)
    write_run(run, tmp_path / "run")
    run_id = send(run, tmp_path / "run", bundle, loader=loader, uri=store)
    client = MlflowClient(store)
    (output,) = client.get_run(run_id).outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    loaded = pyfunc.load_model(model.artifact_location)
    _same(loaded.predict(table), scored)
    if loader == SERVING:
        # A table that lacks a gene, or has genes of other names, is ours to match.
        assert loaded.metadata.signature.inputs is None
        kinds = {column.name: column.type.name for column in loaded.metadata.signature.outputs}
        assert list(kinds) == list(scored.columns)
        assert (kinds["sample"], kinds["probability"]) == ("string", "double")
        asked = loaded.metadata.load_input_example(model.artifact_location.removeprefix("file://"))
        assert loaded.predict(asked)["probability"].notna().all()
        assert {metric.key: metric.value for metric in model.metrics}["auroc"] == run.result.headline.auroc
        assert {metric.dataset_digest for metric in model.metrics} == {run.result.data_sha256[:16]}
        assert "Post samples in rows and genes in columns, in counts" in model.tags["mlflow.note.content"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mlflow_serves_a_logged_bundle_with_the_numbers_of_score(bundle, table, scored, tmp_path, make_result):
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    run = _run(make_result)
    write_run(run, tmp_path / "run")
    send(run, tmp_path / "run", bundle, loader=SERVING, uri=store, register=True)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", "models:/served/1"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # as in an activated environment
    settings = {"MLFLOW_TRACKING_URI": store, "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": path}
    with (
        (tmp_path / "server.log").open("wb") as log,
        subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=log, stderr=log, start_new_session=True
        ) as server,
    ):
        try:
            _wait(port, server)
            body = json.dumps({"dataframe_split": table.to_dict("split")}).encode()
            answer = _post(port, body)
            short = json.dumps({"dataframe_split": table.iloc[:, :30].to_dict("split")}).encode()
            with pytest.raises(HTTPError) as refusal:
                _post(port, short)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
    _same(pd.DataFrame(answer["predictions"])[list(scored.columns)], scored)
    assert refusal.value.code == 400


def _post(port, body):
    request = Request(f"http://127.0.0.1:{port}/invocations", data=body, headers={"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _wait(port, server):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/ping", timeout=5):
                return
        except (OSError, HTTPException):
            time.sleep(0.3)
    pytest.fail("the scoring server did not start")


def _run(make_result):
    result = make_result(name="served")
    return Run(result, {}, {})

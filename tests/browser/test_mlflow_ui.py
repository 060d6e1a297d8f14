"""The MLflow page as a newcomer meets it, in a real browser. RML_SHOTS=FOLDER keeps the screenshots."""

import os
import socket
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.records.run import TABLES, Run, write_run
from responder_ml.tracking.mlflow import send
from responder_ml.tracking.page_server import served, start_page

CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# MLflow unfolds its assistant over the table on the first visit.
NO_ASSISTANT = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""
JOBS = {"pfc-response": ("PFC", 0.84, 0.014, "evidence"), "nac-response": ("NAc", 0.57, 0.312, "no_evidence")}
CANDIDATES = {"genes+elastic_net": 0.02, "genes+xgboost": -0.06, "stress_sets+singscore_cut": 0.04}
PATIENCE = 20_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no /usr/bin/chromium (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory, make_result):
    """A store with two jobs, and its page."""
    folder = tmp_path_factory.mktemp("site")
    store = f"sqlite:///{folder / 'mlflow.db'}"
    for name in JOBS:
        send(*_written(make_result, name, folder), loader="json", uri=store, register=True, anyway=True)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with served(store, port) as (address, _):
        yield address


@pytest.fixture(scope="module")
def context():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        context = browser.new_context(viewport={"width": 1800, "height": 900})
        context.add_init_script(NO_ASSISTANT)
        context.set_default_timeout(PATIENCE)
        yield context
        browser.close()


@pytest.fixture
def page(context):
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture
def shoot(tmp_path):
    folder = Path(os.environ.get("RML_SHOTS", tmp_path))

    def shoot(page, name):
        page.wait_for_timeout(700)  # tables and charts slide into place
        page.screenshot(path=folder / f"{name}.png")

    return shoot


def _rows(page):
    """Return the names of the rows from top to bottom."""
    rows = page.locator(".ag-pinned-left-cols-container .ag-row")
    numbered = [(int(row.get_attribute("row-index")), row.inner_text().splitlines()) for row in rows.all()]
    names = (*JOBS, *CANDIDATES)
    return [next(line for line in lines if line in names) for _, lines in sorted(numbered)]


def _row(page, name):
    return page.locator(".ag-pinned-left-cols-container .ag-row").filter(has_text=name)


def test_the_first_view_is_the_jobs_by_auroc_and_sorts(site, page, shoot):
    page.goto(start_page(site, "responder_ml"))
    page.get_by_role("link", name="pfc-response", exact=True).wait_for()
    assert _rows(page) == ["pfc-response", "nac-response"]
    columns = {
        header.inner_text().strip(): header.bounding_box()["x"] for header in page.locator(".ag-header-cell").all()
    }
    assert columns["region"] < columns["verdict"] < columns["auroc"] < columns["p_value"] < columns["auroc_low"]
    cells = page.locator(".ag-center-cols-container .ag-row").first.inner_text().split("\n")
    assert [
        text for text in ("PFC", "responder vs non_responder", "evidence", "0.84", "0.014") if text not in cells
    ] == []
    shoot(page, "1_jobs")
    page.locator(".ag-header-cell").get_by_text("auroc", exact=True).click()
    _row(page, "nac-response").and_(page.locator("[row-index='0']")).wait_for()
    assert _rows(page) == ["nac-response", "pfc-response"]


def test_a_job_opens_to_its_candidates(site, page, shoot):
    page.goto(start_page(site, "responder_ml", view="responder-ml-candidates"))
    page.get_by_role("link", name="pfc-response", exact=True).wait_for()
    assert sorted(_rows(page)) == ["nac-response", "pfc-response"]
    _row(page, "pfc-response").get_by_role("button").first.click()
    for name in CANDIDATES:
        page.get_by_role("link", name=name, exact=True).wait_for()
    rows = _rows(page)
    first = rows.index("pfc-response") + 1
    assert sorted(rows[first : first + 3]) == sorted(CANDIDATES)
    shoot(page, "2_candidates")


def test_charts_are_drawn_of_folds_and_search(site, page, shoot):
    page.goto(start_page(site, "responder_ml", view="responder-ml-candidates") + "&compareRunsMode=CHART")
    page.get_by_text("each_fold/auroc_mean_so_far", exact=True).first.wait_for()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    shoot(page, "3_charts")


def test_two_jobs_compare(site, page, shoot):
    page.goto(start_page(site, "responder_ml"))
    page.get_by_role("link", name="pfc-response", exact=True).wait_for()
    for name in JOBS:
        _row(page, name).locator("input.ag-checkbox-input").check(force=True)
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("Comparing 2 Runs").wait_for()
    shoot(page, "4_compare")
    page.get_by_role("link", name="auroc", exact=True).scroll_into_view_if_needed()
    for _, auroc, p_value, _ in JOBS.values():
        page.get_by_text(str(auroc), exact=True).first.wait_for()
        assert page.get_by_text(str(p_value), exact=True).count() == 1
    shoot(page, "5_compare_metrics")


def test_a_job_tells_its_verdict_and_shows_its_report(site, page, shoot):
    page.goto(start_page(site, "responder_ml"))
    page.get_by_role("link", name="pfc-response", exact=True).click()
    page.get_by_text("Simulated data: nothing here is a finding about real animals.").wait_for()
    page.get_by_text("PFC: AUROC 0.84, p = 0.014.").wait_for()
    shoot(page, "6_job")
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("report.html", exact=True).click()
    report = page.frame_locator("iframe")
    report.get_by_role("heading", name="Report of pfc-response").wait_for()
    assert report.locator("svg circle").count() == 3
    shoot(page, "7_report")


def test_a_server_takes_a_run_with_its_files_and_its_model(site, tmp_path, make_result):
    from mlflow import MlflowClient

    run_id = send(
        *_written(make_result, "nac-response", tmp_path),
        loader="json",
        uri=site,
        experiment="sent",
        register=True,
        anyway=True,
    )
    client = MlflowClient(tracking_uri=site)
    sent = client.get_run(run_id)
    assert sent.info.artifact_uri.startswith("mlflow-artifacts:")
    assert "report.html" in {artifact.path for artifact in client.list_artifacts(run_id)}
    (model,) = sent.outputs.model_outputs
    versions = client.search_model_versions("name = 'nac-response'")
    assert {version.source for version in versions if version.run_id == run_id} == {f"models:/{model.model_id}"}


def _written(make_result, name, folder):
    """Write a job's run and bundle."""
    run_folder, bundle = folder / "runs" / name, folder / "models" / name
    run_folder.parent.mkdir(exist_ok=True)
    run = _run(make_result, name, seed=list(JOBS).index(name))
    write_run(run, run_folder)
    (run_folder / "report.html").write_text(_report(name), encoding="utf-8")
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_text("{}", encoding="utf-8")
    return run, run_folder, bundle


def _report(name):
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{name}</title>"
        "<style>body {font-family: sans-serif; margin: 2em}</style>"
        f"<h1>Report of {name}</h1><p>Simulated.</p><svg width='120' height='40'>"
        "<circle cx='20' cy='20' r='9'/><circle cx='60' cy='20' r='9'/><circle cx='100' cy='20' r='9'/></svg></html>"
    )


def _run(make_result, name, seed):
    region, auroc, p_value, verdict = JOBS[name]
    rng = np.random.default_rng(seed)
    performance = {"balanced_accuracy": auroc - 0.05, "mcc": 2 * auroc - 1.1, "brier": 0.3 - auroc / 8}
    tables = {table: pd.DataFrame(columns=list(columns)) for table, columns in TABLES.items()}
    outer_folds = [(repeat, fold) for repeat in range(4) for fold in range(5)]
    tables["folds"] = pd.DataFrame(
        {
            "candidate": candidate,
            "repeat": repeat,
            "fold": fold,
            "auroc": round(float(np.clip(auroc + gain + rng.normal(0, 0.12), 0, 1)), 3),
            "inner_score": auroc + 0.05,
            "weight": 1.0,
            "n_features": int(rng.integers(10, 80)),
            "params": "{}",
        }
        for candidate, gain in {"auto": 0.0, **CANDIDATES}.items()
        for repeat, fold in outer_folds
    )
    tables["trials"] = pd.DataFrame(
        {
            "candidate": candidate,
            "repeat": repeat,
            "fold": fold,
            "trial": trial,
            "value": round(float(rng.uniform(auroc - 0.2, auroc + 0.1)), 3),
            "params": f'{{"n_features": {rng.integers(5, 200)}}}',
        }
        for candidate in CANDIDATES
        for repeat, fold in outer_folds
        for trial in range(10)
    )
    tables["baselines"] = pd.DataFrame(
        [["batch", 0.55, 0.4, 0.7, auroc - 0.55, auroc - 0.8, auroc - 0.3]], columns=list(TABLES["baselines"])
    )
    samples = [f"{region}{number:02d}" for number in range(13)]
    tables["samples"] = pd.DataFrame(
        {"sample": samples, "subject": samples, "region": region, "drug": ["imipramine", "ketamine"] * 6 + ["ketamine"]}
    )
    result = {
        "name": name,
        "simulated": True,
        "endpoint": {
            "column": "response", "positive": "responder", "negative": "non_responder", "strata": ["drug"],
            "nuisance": ["batch"], "where": {"region": region}, "units": "counts",
        },
        "n": {"samples": 13, "subjects": 13, "positive": 6, "negative": 7, "genes": 20000},
        "headline": {"candidate": "auto", "auroc": auroc, "auroc_ci": [auroc - 0.2, auroc + 0.1], **performance},
        "null": {"p_value": p_value, "permutations": 999, "null_mean": 0.49, "min_attainable_p": 0.001},
        "baselines": [{"name": "batch", "auroc": 0.55, "gain": 0.1, "gain_ci": [0.0, 0.2]}],
        "candidates": [
            {
                "name": candidate, "builder": candidate.split("+")[0], "classifier": candidate.split("+")[1],
                "auroc": auroc + gain, "auroc_ci": [auroc - 0.25, auroc + 0.12], "chosen_share": 0.33, **performance,
            }
            for candidate, gain in CANDIDATES.items()
        ],
        "audit": [],
        "verdict": {"level": verdict, "sentence": f"{region}: AUROC {auroc:.2f}, p = {p_value}."},
        "stability": {"nogueira": 0.31},
        "search": {"folds": 5, "repeats": 4, "inner_folds": 3, "trials": 10},
        "refit": {"candidate": "genes+elastic_net", "params": {"n_features": 50, "C": 0.1}, "n_features": 50},
        "timings": {"total_s": 61.0},
        "versions": {"responder-ml": "0.1.0"},
        "data_sha256": f"{seed:064x}",
        "seed": 7,
    }  # fmt: skip
    config = {
        "name": name,
        "cohort": {"source": "simulated", "where": {"region": region}},
        "null": {"permutations": 1000},
    }
    return Run(make_result(**result), tables, config)

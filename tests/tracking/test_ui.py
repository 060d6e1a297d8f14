import io
import json
import webbrowser
from contextlib import contextmanager
from urllib.error import URLError

import pytest

from responder_ml.errors import TrackingError
from responder_ml.tracking import ui
from responder_ml.tracking.ui import open_ui, start_page
from responder_ml.tracking.views import FIRST_VIEW


@pytest.fixture
def opened(monkeypatch):
    pages = []
    monkeypatch.setattr(webbrowser, "open", lambda page: pages.append(page) or True)
    return pages


@pytest.fixture
def asked(monkeypatch):
    """Stand in for MLflow's interface: it has one experiment, number 7."""
    addresses = []

    def urlopen(address, timeout):
        addresses.append(address)
        if "experiment_name=responder_ml" not in address:
            raise URLError("404")
        return io.BytesIO(json.dumps({"experiment": {"experiment_id": "7"}}).encode())

    monkeypatch.setattr(ui, "urlopen", urlopen)
    return addresses


def test_the_start_page_is_the_experiments_first_view(asked):
    page = start_page("http://lab:5000", "responder_ml")
    assert page == f"http://lab:5000/#/experiments/7/runs?viewStateShareKey={FIRST_VIEW}&workflowType=machine_learning"
    assert asked == ["http://lab:5000/api/2.0/mlflow/experiments/get-by-name?experiment_name=responder_ml"]


@pytest.mark.usefixtures("asked")
def test_an_experiment_that_is_not_there_leads_to_the_list():
    assert start_page("http://lab:5000", "a b/c") == "http://lab:5000/#/experiments"


class Ended:
    def wait(self):
        return 0


@pytest.mark.usefixtures("asked")
def test_a_store_of_ones_own_is_served_shown_and_said(tmp_path, opened, monkeypatch):
    stores, said = [], []

    @contextmanager
    def served(store, port):
        stores.append((store, port))
        yield "http://127.0.0.1:5123", Ended()

    monkeypatch.setattr(ui, "served", served)
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


@pytest.mark.usefixtures("asked")
def test_a_servers_own_page_is_opened(opened):
    open_ui("http://lab:5000", experiment="elsewhere")
    assert opened == ["http://lab:5000/#/experiments"]


@pytest.mark.usefixtures("asked")
def test_without_a_browser_the_address_is_not_lost(monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _page: False)
    with pytest.raises(TrackingError, match="Open http://lab:5000/"):
        open_ui("http://lab:5000")
    said = []
    open_ui("http://lab:5000", say=said.append)
    assert len(said) == 1

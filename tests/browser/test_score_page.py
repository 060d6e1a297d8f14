"""The page of scores in a real browser, at desk and phone width."""

import importlib.util
from pathlib import Path

import pytest

from responder_ml.report.score import write_scores_page

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = Path(__file__).resolve().parents[1] / "report" / "test_score.py"
    spec = importlib.util.spec_from_file_location("score_fixtures", path)
    fixtures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fixtures)
    page = tmp_path_factory.mktemp("scores") / "scores.html"
    table = fixtures._table(40)
    table["probability"] = [index / 40 for index in range(40)][::-1]
    write_scores_page(table, page, "new.csv", fixtures.CLASSES, fixtures.HELD_OUT)
    return page.as_uri()


@pytest.mark.parametrize("width", [1280, 390])
def test_it_stands_alone_is_sorted_and_searched(chromium, axe, address, width):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    requests, wrong = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator(".conclusion").bounding_box()
    assert box["y"] + box["height"] < 900
    # What must be true is read without scrolling sideways.
    answers = page.locator(".answers").bounding_box()
    assert answers["x"] + answers["width"] <= width
    page.locator(".samples thead th").nth(1).locator("button").click()
    assert page.locator(".samples tbody th").first.inner_text() == "s39"
    page.locator("#samples input[type=search]").fill("s17")
    assert page.locator(".samples tbody tr:visible").count() == 1
    assert axe(page) == []
    assert wrong == []
    page.close()

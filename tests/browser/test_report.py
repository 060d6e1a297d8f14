"""The report in a real browser, as a file and inside a sandboxed frame such as MLflow's artifact viewer."""

import importlib.util
from html import escape
from pathlib import Path

import pytest

from responder_ml.report import SECTIONS
from responder_ml.report.html import write_report

WIDTHS = (1280, 390)
CUT_TEXTS = """() => [...document.querySelectorAll("figure svg")].flatMap(svg => {
    const box = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter(text => {
        const t = text.getBoundingClientRect();
        return t.left < box.left - 1 || t.right > box.right + 1 || t.top < box.top - 1 || t.bottom > box.bottom + 1;
    }).map(text => svg.getAttribute("aria-label").slice(0, 40) + ": " + text.textContent);
})"""

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Write one report of a typical run and one of a run where nothing was trained."""
    path = Path(__file__).resolve().parents[1] / "report" / "conftest.py"
    spec = importlib.util.spec_from_file_location("report_fixtures", path)
    fixtures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fixtures)
    folder = tmp_path_factory.mktemp("reports")
    runs = {
        "typical": fixtures.make_run(),
        "many": fixtures.make_run(
            positives=60, negatives=70, repeats=3, classes=("responder_to_ketamine", "non_responder")
        ),
    }
    for name, run in runs.items():
        write_report(run, folder / f"{name}.html")
    return folder


@pytest.fixture(params=WIDTHS)
def page(chromium, request):
    """Open a page that remembers everything that goes wrong on it."""
    page = chromium.new_page(viewport={"width": request.param, "height": 900})
    page.wrong = []
    page.on(
        "console", lambda message: page.wrong.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("requestfailed", lambda request: page.wrong.append(request.url))
    page.requests = []
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    page.close()


@pytest.mark.parametrize("name", ["typical", "many"])
def test_it_opens_from_disk_with_every_section_and_nothing_cut(page, reports, name):
    address = (reports / f"{name}.html").as_uri()
    page.goto(address)
    assert page.requests == [address]
    for section in SECTIONS:
        heading = page.locator(f"#{section.anchor} > h2")
        assert heading.is_visible()
        assert heading.inner_text() == section.title
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_TEXTS) == []
    assert page.wrong == []


def test_the_verdict_is_seen_first(page, reports):
    page.goto((reports / "typical.html").as_uri())
    box = page.locator(".conclusion").bounding_box()
    assert box["y"] + box["height"] < 900


def test_contents_lead_to_their_sections(page, reports):
    page.emulate_media(reduced_motion="reduce")
    page.goto((reports / "typical.html").as_uri())
    page.add_style_tag(content="html { scroll-behavior: auto !important; }")
    page.locator("nav a[href='#subjects']").click()
    assert abs(page.locator("#subjects").bounding_box()["y"]) < 60


def test_letters_in_figures_are_large_enough_to_read(page, reports):
    page.goto((reports / "typical.html").as_uri())
    heights = page.evaluate("[...document.querySelectorAll('figure svg text')].map(t => t.getBoundingClientRect())")
    assert min(min(box["height"], box["width"] + 20) for box in heights) >= 7


def test_a_table_opens(page, reports):
    page.goto((reports / "typical.html").as_uri())
    table = page.locator("#genes details table").first
    assert not table.is_visible()
    page.locator("#genes summary").first.click()
    assert table.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_it_shows_in_a_sandboxed_frame(page, reports):
    html = (reports / "typical.html").read_text(encoding="utf-8")
    frame = f'<iframe sandbox="allow-scripts" style="width: 100%; height: 800px" srcdoc="{escape(html)}"></iframe>'
    page.set_content(f"<!DOCTYPE html><title>viewer</title>{frame}")
    inner = page.frame_locator("iframe")
    assert inner.locator(".conclusion").is_visible()
    assert inner.locator("section").count() == len(SECTIONS)
    assert page.wrong == []


def test_printing_opens_what_is_folded_but_for_the_checklists(page, reports):
    page.goto((reports / "typical.html").as_uri())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    folded = page.locator("details:not([open])")
    assert folded.count() == page.locator("details:has(.checks)").count() > 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0


def test_a_table_is_sorted_by_a_click_and_searched(page, reports):
    page.goto((reports / "many.html").as_uri())
    page.locator("#subjects summary").click()
    table = page.locator("#subjects details table")
    heading = table.locator("thead th", has_text="mean probability")

    def numbers():
        return page.evaluate(
            "[...document.querySelectorAll('#subjects details tbody tr:not([hidden])')]"
            ".map(row => +row.cells[2].querySelector('data').value)"
        )

    before = numbers()
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert numbers() == sorted(before) != before
    heading.locator("button").click()
    assert numbers() == sorted(before, reverse=True)
    name = table.locator("tbody th").nth(3).inner_text()
    page.locator("#subjects input[type=search]").fill(name)
    assert 1 <= len(numbers()) < len(before)
    assert page.wrong == []


def test_a_mark_tells_its_value(page, reports):
    page.goto((reports / "typical.html").as_uri())
    titles = page.locator("#baselines figure svg title").all_text_contents()
    assert any("majority: 0.50" in title for title in titles)

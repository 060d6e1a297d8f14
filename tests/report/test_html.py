import importlib
import inspect
import pkgutil
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from responder_ml import report
from responder_ml.errors import RunError
from responder_ml.records.run import read_run, write_run
from responder_ml.report import SECTIONS
from responder_ml.report.card import render_card
from responder_ml.report.card_facts import CardFacts
from responder_ml.report.html import render_report, write_report
from responder_ml.report.section import Section
from responder_ml.report.verdict import Verdict

VOID = {"meta", "br", "link"}
ALL = ["typical_run", "no_null_run", "underpowered_run", "one_candidate_run", "large_run", "awkward_run"]


class Page(HTMLParser):
    """Collects what a page is made of; refuses tags that are not closed in order."""

    def __init__(self, html):
        super().__init__()
        self.html, self.open, self.tags, self.attributes, self.numbers, self.text = html, [], [], [], set(), []
        self.feed(html)
        assert not self.open

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag == "data":
            self.numbers.add(float(dict(attrs)["value"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def values(self, name):
        return [value for _, key, value in self.attributes if key == name]


@pytest.fixture(scope="module")
def page_of(built):
    return lambda name: Page(built(name).html)


@pytest.mark.parametrize("name", ALL)
def test_every_section_stands_once_and_in_order(page_of, name):
    page = page_of(name)
    anchors = [section.anchor for section in SECTIONS]
    assert [value for tag, key, value in page.attributes if (tag, key) == ("section", "id")] == anchors
    assert [value for value in page.values("href") if value.removeprefix("#") in anchors][: len(anchors)] != []
    assert {f"#{anchor}" for anchor in anchors} <= set(page.values("href"))
    for section in SECTIONS:
        assert f"<h2>{section.title}</h2>" in page.html


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_fetched(page_of, name):
    page = page_of(name)
    assert not {"img", "iframe", "object", "embed", "video", "base"} & set(page.tags)
    assert not [value for key in ("src", "srcset", "xlink:href", "action", "data") for value in page.values(key)]
    outside = [(tag, value) for tag, key, value in page.attributes if key == "href" and not value.startswith("#")]
    # An icon of no bytes, so that no browser asks a server for one, and the tables beside the page.
    outside = [link for link in outside if link != ("link", "data:,") and not re.fullmatch(r"\w+\.csv", link[1])]
    assert all(tag == "a" and value.startswith("https://doi.org/10.") for tag, value in outside)
    assert page.html.count("http") == len(outside)
    assert "@import" not in page.html
    assert set(re.findall(r"url\((.)", page.html)) <= {"#"}


@pytest.mark.parametrize("name", ALL)
def test_identifiers_are_unique_and_every_inner_link_has_its_end(page_of, name):
    page = page_of(name)
    identifiers = page.values("id")
    assert len(identifiers) == len(set(identifiers))
    targets = {value[1:] for value in page.values("href") if value.startswith("#")}
    targets |= {target for value in page.values("clip-path") for target in re.findall(r"#([\w-]+)", value)}
    assert targets <= set(identifiers)


@pytest.mark.parametrize("name", ALL)
def test_every_figure_has_words_and_a_caption(page_of, name):
    page = page_of(name)
    drawn = page.tags.count("svg")
    assert page.values("role").count("img") == drawn == page.tags.count("figcaption")
    assert all(len(alt) > 20 for alt in page.values("aria-label") if alt not in ("Contents", "Simulated data"))
    assert drawn == 0 if name == "underpowered_run" else drawn >= 9


@pytest.mark.parametrize("taken", ["before", "after", "unknown"])
def test_page_and_card_say_what_the_time_of_taking_tissue_allows(typical_run, taken):
    endpoint = typical_run.result.endpoint.model_copy(update={"taken": taken})
    run = replace(typical_run, result=typical_run.result.model_copy(update={"endpoint": endpoint}))
    sentences = {
        "before": "prediction is possible in principle",
        "after": "Tissue was taken after the outcome was known, so this is discrimination of a state, not prognosis",
        "unknown": "Was tissue taken before or after the outcome was known?",
    }
    for text in (Verdict().content(run)["timing"], render_card(CardFacts.of(run))):
        assert {name for name, sentence in sentences.items() if sentence in text} == {taken}
        assert ("not prognosis" in text) == (taken != "before")


@pytest.mark.parametrize("name", ALL)
def test_a_page_is_small_and_says_what_it_is_not(page_of, name):
    page = page_of(name)
    assert len(page.html.encode()) < 3_000_000
    assert "Simulated data." in page.html
    assert "discrimination of a state, not prognosis" in page.html
    assert "Was tissue taken before or after the outcome was known?" in page.html
    assert "nan" not in re.findall(r"[\w.]+", " ".join(page.text)) or name == "awkward_run"


def numbers_of(value):
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers_of(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in numbers_of(inner)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


@pytest.mark.parametrize("name", ["typical_run", "no_null_run", "one_candidate_run", "large_run"])
def test_numbers_are_those_of_the_result(page_of, request, name):
    result, shown = request.getfixturevalue(name).result, page_of(name).numbers
    content = result.content()
    stability = {key: content["stability"][key] for key in ("nogueira", "interval")}
    for part in (*(content[key] for key in ("headline", "null", "baselines", "candidates", "n")), stability):
        for number in numbers_of(part):
            assert any(number == pytest.approx(other, rel=1e-9, abs=1e-10) for other in shown), number


def test_numbers_of_the_verdict_are_rounded_from_the_result(page_of, typical_run):
    headline = typical_run.result.headline
    assert f'<data value="{headline.auroc:.10g}">{headline.auroc:.2f}</data>' in page_of("typical_run").html


def test_names_are_escaped(page_of):
    page = page_of("awkward_run")
    assert page.tags.count("script") == 1
    assert "<script>alert" not in page.html
    assert "onerror" not in [key for _, key, _ in page.attributes]
    text = "".join(page.text)
    for name in ("<script>alert(1)</script>", "A&B", "$x_1$", "H2-K1\"'", "基因", "<b>good</b>", "bad & worse"):
        assert name in text
    assert "i" not in page.tags


def test_the_store_is_not_told(page_of):
    assert "secret" not in page_of("typical_run").html


def test_a_run_read_back_gives_the_same_bytes(built, awkward_run, tmp_path):
    write_run(awkward_run, tmp_path / "run")
    assert render_report(read_run(tmp_path / "run")) == built("awkward_run").html


@pytest.mark.parametrize("name", ALL)
def test_building_is_quick_and_touches_nothing_global(built, name):
    assert built(name).seconds < 5
    assert not built(name).changed


def test_write_report(underpowered_run, tmp_path):
    path = tmp_path / "report.html"
    write_report(underpowered_run, path)
    assert path.read_text(encoding="utf-8") == render_report(underpowered_run)


def test_a_path_that_cannot_be_written_is_the_users_to_mend(underpowered_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="could not be written"):
        write_report(underpowered_run, tmp_path / "file" / "report.html")


def test_every_section_of_the_package_is_in_the_tuple_once():
    sections = set()
    for module in pkgutil.iter_modules(report.__path__):
        loaded = importlib.import_module(f"{report.__name__}.{module.name}")
        sections |= {
            member
            for _, member in inspect.getmembers(loaded, inspect.isclass)
            if issubclass(member, Section) and not inspect.isabstract(member)
        }
    assert sections == {type(section) for section in SECTIONS}
    assert len(sections) == len(SECTIONS)

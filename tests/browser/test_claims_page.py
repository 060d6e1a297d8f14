"""The page of the claims in a real browser, at desk and phone width."""

import pytest
import yaml

from responder_ml.claims import PAGE, claims, write_claims
from responder_ml.config import load_config

CUT_TEXTS = """() => [...document.querySelectorAll("figure svg")].flatMap(svg => {
    const box = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter(text => {
        const t = text.getBoundingClientRect();
        return t.width && (t.left < box.left - 1 || t.right > box.right + 1 || t.top < box.top - 1 || t.bottom > box.bottom + 1);
    }).map(text => svg.getAttribute("aria-label").slice(0, 40) + ": " + text.textContent);
})"""
JOB = {
    "name": "claims",
    "cohort": {"source": "simulated", "params": {"n_genes": 400, "effect": 2.0}},
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"},
    "builders": [{"kind": "genes"}],
    "classifiers": [{"kind": "nearest_centroid"}],
    "claims": {"relabellings": 20, "bootstrap": 5, "behaviour": {"post": "si_post"}},
    "compute": {"workers": 1},
}

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claims")
    (folder / "job.yaml").write_text(yaml.safe_dump(JOB))
    write_claims(claims(load_config(folder / "job.yaml")), folder / "out")
    return (folder / "out" / PAGE).as_uri()


@pytest.mark.parametrize("width", [1280, 390])
def test_it_stands_alone_and_nothing_is_cut(chromium, axe, address, width):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    requests, wrong = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(address)
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_TEXTS) == []
    # Every verdict is read without scrolling sideways.
    for claim in ("R1", "R4", "R8"):
        box = page.locator(f"#{claim} .level").bounding_box()
        assert box["x"] + box["width"] <= width
    assert axe(page) == []
    assert wrong == []
    page.close()

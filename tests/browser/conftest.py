"""What all pages are opened with: one browser, and axe, which tells what keeps somebody from using a page."""

from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium():
    """Return a browser of this file's own: playwright runs once at a time in a process, and other files start theirs."""
    if not CHROMIUM.exists():
        pytest.skip("no chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe():
    """Return a function from an open page to what axe objects to."""
    package = pytest.importorskip("axe_playwright_python")
    script = (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

    def violations(page):
        page.evaluate(script)
        problems = page.evaluate("async () => (await axe.run()).violations")
        return [f"{problem['id']}: {node['html'][:120]}" for problem in problems for node in problem["nodes"]]

    return violations

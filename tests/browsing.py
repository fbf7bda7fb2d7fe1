"""Chromium for tests: where it is, how it is started, and pages that do not let errors pass."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Browser, Page

PATIENCE = 120_000
"""Milliseconds that a page may take to become what a test expects: a loaded machine is slow, and that is no failure."""
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    """The first Chromium on the search path, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> "Iterator[Browser]":
    """A running headless Chromium; skips the test if none is installed."""
    path = chromium_path()
    if path is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    # Playwright's synchronous face keeps an event loop in this thread, and Django would refuse to touch the database.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            yield browser
            browser.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@contextmanager
def fresh_page(browser: "Browser") -> "Iterator[Page]":
    """A page in a context of its own. Uncaught errors and error lines of the console fail the test at its end.

    Refusals that a test provokes on purpose (status 4xx) are logged by Chromium as "Failed to load resource" and
    by htmx with their status; those are the test's own business and are left out.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    try:
        yield page
    finally:
        context.close()
    provoked = ("Failed to load resource", "Response Status Error Code 4")
    problems = [problem for problem in problems if not problem.startswith(provoked)]
    assert not problems, f"the page reported: {problems}"


GRAVE = ("serious", "critical")
_FIND = """async (impacts) => {
    const found = await axe.run({resultTypes: ["violations"]});
    const grave = found.violations.filter((one) => impacts.includes(one.impact));
    return grave.flatMap((one) => one.nodes.map((node) => [one.id, node.target.join(" "), node.html.slice(0, 200)]));
}"""


def grave_findings(page: "Page", impacts: tuple[str, ...] = GRAVE) -> list[tuple[str, str, str]]:
    """Findings of axe of these impacts on the page as it stands: rule, place, and what stands there.

    The script is put into a document once, and what is not grave stays in the browser.
    """
    from axe_playwright_python.base import AXE_SCRIPT

    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return [(rule, place, what) for rule, place, what in page.evaluate(_FIND, list(impacts))]


def carry_session(client: "Client", page: "Page", address: str) -> None:
    """Puts the session of a test client into the page's browser context and makes addresses relative to ``address``."""
    page.context.add_cookies(
        [{"name": name, "value": morsel.value, "url": address} for name, morsel in client.cookies.items()]
    )

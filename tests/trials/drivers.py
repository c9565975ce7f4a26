"""Node and Chromium, which run ``page.js`` against a site."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.chromium import launch
from tests.support.processes import PATIENCE
from tests.trials.opened import Opened

HERE = Path(__file__).parent
AT_ONCE = 10  # pages that are open at the same time
# The longest pause of a page before each step, in milliseconds: one page after the other.
PAUSES = (20, 200, 600)


class NoNode(Exception):
    """Node is not installed; the message says how to install it."""


@dataclass(frozen=True)
class Load:
    """One page or several tabs to open: what their store has, and how many calls each makes."""

    store: Opened
    calls: int
    tabs: int = 1
    longest: int = PAUSES[-1]


@dataclass(frozen=True)
class Met:
    """
    What one load met: the statuses of its steps, and the errors of steps without an answer.

    ``sent`` has the refresh tokens that it sent, ``kept`` is the one that its store has at the end.
    """

    calls: list[int]
    refreshes: list[int]
    calls_again: list[int]
    errors: list[str]
    sent: set[str]
    call_at_the_end: int
    refresh_at_the_end: int
    kept: str


Open = Callable[[str, list[Load]], list[Met]]


def with_node(site: str, loads: list[Load]) -> list[Met]:
    """Open each page in one process of node; all make the same number of calls."""
    node = shutil.which("node")
    if node is None:
        raise NoNode("Node was not found. On Debian and Ubuntu: apt install nodejs")
    pages = [
        {"access": one.store.access, "refresh": one.store.refresh, "longest": one.longest}
        for one in loads
    ]
    asked = {"site": site, "calls": loads[0].calls, "atOnce": AT_ONCE, "pages": pages}
    done = subprocess.run(
        [node, str(HERE / "node.js")],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return [_met([one], one["end"]) for one in json.loads(done.stdout)]


@contextmanager
def chromium() -> Iterator[Open]:
    """Yield a function that opens loads in one Chromium. Raises NoChromium."""
    # Playwright runs an event loop in this thread, so Django would refuse database access here. Only
    # the trial runs in this thread, so access is safe.
    safe = mock.patch.dict(os.environ, DJANGO_ALLOW_ASYNC_UNSAFE="true")
    with safe, sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            yield lambda site, loads: with_chromium(browser, site, loads)
        finally:
            browser.close()


def with_chromium(browser: Browser, site: str, loads: list[Load]) -> list[Met]:
    """Open each load in a profile of its own, whose tabs share one localStorage."""
    batches = (loads[i : i + AT_ONCE] for i in range(0, len(loads), AT_ONCE))
    return [met for batch in batches for met in _open_batch(browser, site, batch)]


def _open_batch(browser: Browser, site: str, loads: list[Load]) -> list[Met]:
    profiles = [browser.new_context() for _ in loads]
    try:
        tabs = [
            _open_tabs(profile, site, one) for profile, one in zip(profiles, loads, strict=True)
        ]
        for pages, one in zip(tabs, loads, strict=True):
            options = {"site": site, "calls": one.calls, "longest": one.longest}
            for page in pages:
                page.evaluate("options => { globalThis.opened = openPage(options) }", options)
        return [
            _met(
                [page.evaluate("() => globalThis.opened") for page in pages],
                pages[0].evaluate("options => closePage(options)", {"site": site}),
            )
            for pages in tabs
        ]
    finally:
        for profile in profiles:
            profile.close()


def _open_tabs(profile: BrowserContext, site: str, load: Load) -> list[Page]:
    profile.add_init_script(path=HERE / "page.js")
    pages = [profile.new_page() for _ in range(load.tabs)]
    for page in pages:
        page.goto(f"{site}/healthz")
    pair = {"access": load.store.access, "refresh": load.store.refresh}
    pages[0].evaluate("pair => localStorageOfTheTab.write(pair)", pair)
    return pages


def _met(pages: list[Any], end: dict[str, Any]) -> Met:
    def of_all(step: str) -> list[Any]:
        return [found for page in pages for found in page[step]]

    return Met(
        calls=of_all("calls"),
        refreshes=of_all("refreshes"),
        calls_again=of_all("callsAgain"),
        errors=of_all("errors"),
        sent=set(of_all("sent")),
        call_at_the_end=end["call"],
        refresh_at_the_end=end["refresh"],
        kept=end["kept"],
    )

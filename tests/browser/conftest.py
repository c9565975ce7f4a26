"""
A real Chromium on the running site, for the tests of this folder.

A test fails if one of its pages has an uncaught error of a script, violates the
Content-Security-Policy or sends a request to another host.
"""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.chromium import NoChromium, launch
from tests.conftest import PASSWORD
from tokens import keyring

HEIGHT = 900  # pixels


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            # The site runs in a thread with its own connections, and sees only committed rows.
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Return one browser for all tests of the package; each page has its own profile."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread, so Django would refuse database access
        # here. Only the test runs in this thread, so access is safe.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        try:
            # A domain with several hosts, which test_sibling_hosts.py serves.
            browser = launch(playwright, "--host-resolver-rules=MAP *.example.test 127.0.0.1")
        except NoChromium as error:
            if os.environ.get("CI") == "true":
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield browser
        browser.close()


@pytest.fixture
def site(live_server: Any) -> str:
    """Return the address of the running site."""
    keyring.ensure()
    return str(live_server.url)


@pytest.fixture
def profile(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    """Return a new browser profile, and fail afterwards if one of its pages had a complaint."""
    context = chromium.new_context(base_url=site, reduced_motion="reduce")
    context.set_default_timeout(15_000)  # milliseconds
    complaints: list[str] = []
    watch(context, complaints, host=urlsplit(site).netloc)
    yield context
    context.close()
    assert complaints == []


@pytest.fixture
def page(profile: BrowserContext, request: pytest.FixtureRequest) -> Page:
    """Return an empty page 1280 pixels wide; ``@both_widths`` adds a run at 390."""
    page = profile.new_page()
    page.set_viewport_size({"width": getattr(request, "param", 1280), "height": HEIGHT})
    return page


def watch(context: BrowserContext, complaints: list[str], *, host: str) -> None:
    """Add each error, policy violation and request to another host to ``complaints``."""

    def on_console(message: Any) -> None:
        if "Content Security Policy" in message.text:
            where = message.page.url if message.page else "?"
            complaints.append(f"{where}: {message.text}")

    def on_request(request: Any) -> None:
        where = urlsplit(request.url)
        if where.scheme in ("http", "https", "ws", "wss") and where.netloc != host:
            complaints.append(f"A request to another host: {request.url}")

    context.on("console", on_console)
    context.on("weberror", lambda error: complaints.append(f"A script failed: {error.error}"))
    context.on("request", on_request)


@pytest.fixture
def staff(django_user_model: Any) -> Any:
    """Return a superuser called ``grace``."""
    return django_user_model.objects.create_superuser("grace", "grace@example.org", PASSWORD)


@pytest.fixture
def admin(page: Page, staff: Any) -> Page:
    """Return the page at the index of the admin, with ``staff`` signed in."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(staff.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    return page

"""What staff do most takes few clicks, no script and no mouse, at any width."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.checks import assert_fits
from tests.browser.data import live_in
from tests.conftest import PASSWORD
from tokens.models import DailyCount, Session


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def live_sessions_of(name: str) -> int:
    return Session.objects.filter(user__username=name, ended_at=None).count()


def clicks_on(page: Page) -> list[str]:
    """Return a list to which each click on a page of this tab is added."""
    clicks: list[str] = []
    page.expose_function(
        "noteClick", lambda element: clicks.append(element)
    )  # A method of a list cannot be exposed.
    page.add_init_script(
        "addEventListener('click', event => event.isTrusted && noteClick(event.target.outerHTML), true)"
    )
    return clicks


def test_half_a_name_signs_a_user_out_everywhere_in_four_clicks(admin: Page) -> None:
    live_in()
    assert live_sessions_of("donald") > 1
    others = live_sessions_of("edsger")
    clicks = clicks_on(admin)
    admin.goto("/admin/")
    admin.get_by_label("Find a user or a session").fill("don")
    admin.get_by_role("button", name="Search").click()
    admin.get_by_role("link", name="Sign out donald everywhere").click()
    admin.get_by_label("Reason").fill("left the company")
    admin.get_by_role("button", name="Sign out everywhere").click()
    expect(admin.get_by_text("revoked, access tokens included")).to_be_visible()
    assert live_sessions_of("donald") == 0
    assert live_sessions_of("edsger") == others
    assert 0 < len(clicks) <= 4


@pytest.fixture
def without_scripts(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=site, java_script_enabled=False)
    context.set_default_timeout(15_000)  # milliseconds
    yield context
    context.close()


def test_all_of_it_works_with_the_keyboard_alone_and_without_scripts(
    without_scripts: BrowserContext, staff: Any
) -> None:
    live_in()
    page = without_scripts.new_page()
    page.goto("/admin/")
    page.get_by_label("Username").fill(staff.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Find a user or a session").focus()
    page.keyboard.type("don")
    page.keyboard.press("Enter")
    page.wait_for_url("**/session/?q=don")
    for name in ("Export as CSV", "Sign out donald everywhere"):
        expect(page.get_by_role("link", name=name)).to_be_visible()
    page.get_by_label("Network or address").focus()
    page.keyboard.type("192.0.2.30")
    page.keyboard.press("Enter")
    page.wait_for_url("**/session/?q=don&network=*")
    expect(page.get_by_label("Network or address")).to_have_value("192.0.2.0/24")
    page.get_by_role("link", name="Sign out donald everywhere").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reason").focus()
    page.keyboard.type("left the company")
    page.keyboard.press("Enter")
    expect(page.get_by_text("revoked, access tokens included")).to_be_visible()
    assert live_sessions_of("donald") == 0


def test_a_list_is_downloaded(admin: Page) -> None:
    live_in()
    admin.goto("/admin/tokens/session/?state=live")
    with admin.expect_download() as download:
        admin.get_by_role("link", name="Export as CSV").click()
    assert download.value.suggested_filename == "session.csv"
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 1 + Session.objects.filter(ended_at=None).count()


@pytest.mark.parametrize("page", [1280, 390, 320], indirect=True)
def test_no_column_is_cut_and_no_page_is_wider_than_its_window(admin: Page) -> None:
    incident = live_in()["radia"].session
    DailyCount.objects.update_or_create(day="2026-01-01", defaults={"refreshes": 10**9})
    session = "/admin/tokens/session/"
    for address in (
        "/admin/",
        session,
        f"{session}?q=do",
        f"{session}{incident.pk}/change/",
        f"{session}{incident.pk}/revoke/",
        "/admin/tokens/deniedtoken/",
        "/admin/tokens/deniedtoken/add/",
        "/admin/tokens/signingkey/",
        "/admin/tokens/signingkey/revoke-previous/",
        f"/admin/accounts/user/{incident.user_id}/sign-out/",
        f"/admin/accounts/user/{incident.user_id}/delete/",
    ):
        answer = admin.goto(address)
        assert answer is not None
        assert answer.status in (200, 302), address
        assert_fits(admin)
        cut = admin.evaluate(
            "[...document.querySelectorAll('.results')].some(el => el.scrollWidth > el.clientWidth + 1)"
        )
        assert not cut, address


def test_the_numbers_of_each_day_can_be_read_as_a_table(admin: Page) -> None:
    admin.goto("/admin/")
    admin.get_by_text("The numbers of each day").click()
    table = admin.get_by_role("table").filter(has_text="Failed sign-ins")
    expect(table.get_by_role("row")).to_have_count(15)
    expect(admin.get_by_role("img", name="Sign-ins: ", exact=False).first).to_be_visible()

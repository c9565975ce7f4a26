"""A user signs in and out, manages sessions and leaves pages open in the browsable API."""

import shlex
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.checks import both_widths
from tests.conftest import PASSWORD
from tokens import sessions
from tokens.models import EndReason, Session

SHORT = timedelta(seconds=3)


@pytest.fixture
def ada(page: Page, user: Any) -> Page:
    """Return the page of sessions of ``user``, who has just signed in."""
    page.goto("/api/login/")
    log_in(page)
    page.wait_for_url("**/api/sessions/")
    return page


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def answer_of(page: Page) -> Any:
    return page.locator(".answer")


def current_session() -> Session:
    return Session.objects.get(user_agent__contains="Chrome")


@both_widths
def test_a_person_signs_in_from_where_they_were_and_out_again(page: Page, user: Any) -> None:
    page.goto("/api/me/")
    expect(answer_of(page)).to_contain_text("HTTP 401 Unauthorized")
    page.get_by_role("banner").get_by_role("link", name="Sign in").click()
    log_in(page)
    page.wait_for_url("**/api/me/")
    expect(answer_of(page)).to_contain_text('"username": "ada"')
    expect(page.get_by_role("banner")).to_contain_text("ada")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert current_session().end_reason == EndReason.LOGOUT
    assert [c["name"] for c in page.context.cookies() if "latchkey" in str(c["name"])] == []
    page.goto("/api/me/")
    expect(answer_of(page)).to_contain_text("HTTP 401 Unauthorized")


def test_the_keyboard_is_enough_to_sign_in(page: Page, user: Any) -> None:
    page.goto("/api/login/?next=/api/me/")
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(answer_of(page)).to_contain_text('"username": "ada"')
    page.bring_to_front()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()


def test_a_wrong_password_is_said_on_the_page_and_the_name_stays(page: Page, user: Any) -> None:
    page.goto("/api/login/?next=/api/me/")
    log_in(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("No active account found")
    expect(page.get_by_label("Username")).to_have_value("ada")
    expect(page.get_by_label("Password")).to_have_value("")
    log_in(page)
    page.wait_for_url("**/api/me/")


def test_scripts_see_no_token(ada: Page) -> None:
    assert "latchkey" not in ada.evaluate("document.cookie")
    kept = ada.context.cookies(ada.url.replace("/api/sessions/", "/api/logout/"))
    hidden = {c["name"]: c["httpOnly"] for c in kept if str(c["name"]).startswith("latchkey")}
    assert hidden == {"latchkey_access": True, "latchkey_refresh": True}
    raw_access = next(c["value"] for c in kept if c["name"] == "latchkey_access")
    assert raw_access not in ada.content()


def test_a_browser_keeps_the_cookies_under_their_names_for_https(
    page: Page, user: Any, settings: Any
) -> None:
    # Chromium treats localhost as secure, and drops a cookie whose name prefix does not hold.
    settings.TOKENS_COOKIE_SECURE = True
    page.goto("/api/login/?next=/api/me/")
    log_in(page)
    expect(answer_of(page)).to_contain_text('"username": "ada"')
    kept = {str(c["name"]): (c["path"], c["secure"]) for c in page.context.cookies()}
    assert {name: kept[name] for name in kept if "latchkey" in name} == {
        "__Host-latchkey_access": ("/", True),
        "__Host-latchkey_refresh": ("/", True),
    }
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert not [c for c in page.context.cookies() if "latchkey" in str(c["name"])]


def test_the_documentation_tries_requests_out_by_cookie(ada: Page) -> None:
    ada.goto("/api/docs/")
    ada.get_by_role("button", name="Refresh the tokens in cookies").click()
    ada.get_by_role("button", name="Try it out").click()
    ada.get_by_role("button", name="Execute").click()
    expect(ada.locator(".live-responses-table .response")).to_contain_text("expires_in")
    assert current_session().generation == 1


def refreshes_so_far() -> int:
    """Return how often the session was refreshed: with a new pair, or with the current one again."""
    session = current_session()
    return session.generation + session.repeats


@both_widths
def test_a_person_ends_another_session_there(ada: Page, user: Any) -> None:
    phone = sessions.start(
        user,
        client=sessions.Client(
            "192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        ),
    )
    ada.reload()
    ada.get_by_role("button", name="End the session of Firefox on Linux").click()
    expect(ada.get_by_role("dialog")).to_contain_text("End the session of Firefox on Linux?")
    ada.get_by_role("button", name="Cancel").click()
    sessions.authenticate(phone.raw_access)
    ada.get_by_role("button", name="End the session of Firefox on Linux").click()
    ada.get_by_role("button", name="Yes").click()
    expect(ada.get_by_role("button", name="End the session of Firefox on Linux")).to_have_count(0)
    phone.session.refresh_from_db()
    assert phone.session.end_reason == EndReason.REVOKED
    expect(ada.get_by_role("banner")).to_contain_text("ada")


def test_ending_the_own_session_signs_out_here(ada: Page) -> None:
    ada.get_by_role("button", name="End the session of").click()
    ada.get_by_role("button", name="Yes").click()
    expect(ada.get_by_text("You are signed out.")).to_be_visible()
    ada.goto("/api/sessions/")
    expect(answer_of(ada)).to_contain_text("HTTP 401 Unauthorized")
    expect(ada.get_by_role("banner").get_by_role("link", name="Sign in")).to_be_visible()


def test_a_page_left_open_longer_than_the_token_lives_still_works(ada: Page, settings: Any) -> None:
    settings.TOKENS_ACCESS_LIFETIME = SHORT
    ada.context.clear_cookies(name="latchkey_access")
    ada.reload()
    expect(ada.locator("#clock")).to_contain_text("0:0")
    refreshes = refreshes_so_far()
    ada.wait_for_timeout(2 * SHORT.total_seconds() * 1000)
    assert refreshes_so_far() > refreshes
    ada.get_by_text("For developers").click()
    ada.get_by_role("button", name="OPTIONS").click()
    expect(answer_of(ada)).to_contain_text("renders")
    ada.get_by_role("link", name="GET").click()
    expect(answer_of(ada)).to_contain_text('"current": true')


def test_a_page_opened_after_the_token_expired_refreshes_by_itself(ada: Page) -> None:
    ada.context.clear_cookies(name="latchkey_access")
    ada.goto("/api/me/")
    expect(answer_of(ada)).to_contain_text('"username": "ada"')
    assert current_session().generation == 1


def test_many_tabs_refresh_at_once_and_stay_signed_in(
    ada: Page, profile: BrowserContext, settings: Any
) -> None:
    settings.TOKENS_ACCESS_LIFETIME = SHORT
    ada.context.clear_cookies(name="latchkey_access")
    tabs = [ada, *(profile.new_page() for _ in range(3))]
    for tab in tabs:
        tab.goto("/api/me/", wait_until="commit")
    ada.wait_for_timeout(2 * SHORT.total_seconds() * 1000)
    for tab in tabs:
        expect(answer_of(tab)).to_contain_text('"username": "ada"')
    session = current_session()
    assert session.ended_at is None
    assert session.generation > 0


def test_a_session_that_staff_ended_says_so_on_the_open_page(ada: Page, settings: Any) -> None:
    settings.TOKENS_ACCESS_LIFETIME = SHORT
    ada.context.clear_cookies(name="latchkey_access")
    ada.reload()
    expect(ada.locator("#clock")).to_contain_text("0:0")
    sessions.end([current_session()], reason=EndReason.REVOKED)
    expect(ada.get_by_text("You are signed out.")).to_be_visible()


def test_a_network_that_fails_for_a_while_signs_no_user_out(ada: Page, settings: Any) -> None:
    settings.TOKENS_ACCESS_LIFETIME = SHORT
    ada.context.clear_cookies(name="latchkey_access")
    ada.reload()
    expect(ada.locator("#clock")).to_contain_text("0:0")
    ada.context.set_offline(True)
    ada.wait_for_timeout(SHORT.total_seconds() * 1000)
    ada.context.set_offline(False)
    refreshes = refreshes_so_far()
    ada.wait_for_timeout(6_000)
    assert refreshes_so_far() > refreshes
    ada.get_by_text("For developers").click()
    ada.get_by_role("link", name="GET").click()
    expect(answer_of(ada)).to_contain_text('"current": true')


def test_the_curl_of_the_request_holds_no_token_and_can_be_copied(ada: Page) -> None:
    ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ada.goto("/api/me/?it's=me")
    ada.get_by_text("For developers").click()
    ada.get_by_role("button", name="Copy").click()
    expect(ada.get_by_role("button", name="Copied")).to_be_visible()
    copied = ada.evaluate("navigator.clipboard.readText()")
    assert shlex.split(copied) == ["curl", "-s", ada.url, "-H", "Authorization: Bearer $ACCESS"]


def test_forms_and_raw_data_show_their_answer(ada: Page, user: Any) -> None:
    ada.goto("/api/me/password/")
    ada.get_by_label("Current password").fill("wrong")
    ada.get_by_label("New password").fill("another horse, another battery")
    ada.get_by_role("button", name="Change the password").click()
    expect(answer_of(ada)).to_contain_text("HTTP 400 Bad Request")
    expect(ada.get_by_role("alert")).to_have_text("Your current password was entered incorrectly.")
    ada.get_by_text("For developers").click()
    ada.get_by_text("Raw data").click()
    ada.get_by_label("Content").fill(
        f'{{"current_password": "{PASSWORD}", "new_password": "another horse, another battery"}}'
    )
    ada.get_by_role("button", name="POST").last.click()
    expect(answer_of(ada)).to_contain_text("HTTP 200 OK")
    user.refresh_from_db()
    assert user.check_password("another horse, another battery")

"""A user finds and ends a stranger's session: quickly, by keyboard, and without JavaScript."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.checks import both_widths
from tests.conftest import PASSWORD
from tokens import sessions
from tokens.models import EndReason, Session

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
STRANGER = "Firefox on Linux"
NEW_PASSWORD = "another horse, another battery"


@pytest.fixture
def stranger(user: Any) -> Session:
    """Return a session of ``user`` that somebody else has begun."""
    return sessions.start(user, client=sessions.Client("203.0.113.9", FIREFOX)).session


@pytest.fixture
def plain(chromium: Browser, site: str) -> Iterator[Page]:
    """Return a page of a browser without JavaScript, in the time zone of Tokyo."""
    context = chromium.new_context(
        base_url=site, java_script_enabled=False, timezone_id="Asia/Tokyo"
    )
    context.set_default_timeout(15_000)  # milliseconds
    yield context.new_page()
    context.close()


def type_credentials(page: Page, password: str = PASSWORD) -> None:
    """Type into the form that has the focus, and press Enter."""
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("banner")).to_contain_text("ada")


def end_button(page: Page) -> Locator:
    return page.get_by_role("button", name=f"End the session of {STRANGER}")


def reach(page: Page, target: Locator, *, within: int = 60) -> None:
    """Press Tab until ``target`` has the focus, and fail if that is not to be seen."""
    for _ in range(within):
        page.keyboard.press("Tab")
        if target.evaluate("(element) => element === document.activeElement"):
            outline = target.evaluate("(element) => getComputedStyle(element).outlineStyle")
            assert outline == "solid"
            return
    raise AssertionError(f"{target} cannot be reached by the keyboard.")


def test_a_question_that_is_asked_again_at_once_is_answered_once(
    page: Page, stranger: Session
) -> None:
    page.goto("/api/sessions/")
    type_credentials(page)
    button = page.get_by_role("button", name=f"End the session of {STRANGER}")
    # In one go, so that the event of the first closing comes when the dialog is open again.
    button.evaluate("""(button) => {
        button.click();
        document.getElementById("confirm").close("no");
        button.click();
    }""")
    deletions = []
    page.on("request", lambda request: deletions.append(request.method))
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("The session has ended.")).to_be_visible()
    assert len([method for method in deletions if method not in {"GET", "HEAD"}]) == 1


@both_widths
def test_a_newcomer_ends_a_strangers_session_in_three_clicks(page: Page, stranger: Session) -> None:
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="My sessions").click()
    type_credentials(page)
    expect(page.get_by_text("Network address 203.0.113.9")).to_be_visible()
    end_button(page).click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("The session has ended.")).to_be_visible()
    expect(end_button(page)).to_have_count(0)
    stranger.refresh_from_db()
    assert stranger.end_reason == EndReason.REVOKED


def test_times_are_in_the_zone_of_the_browser(
    chromium: Browser, site: str, stranger: Session
) -> None:
    context = chromium.new_context(base_url=site, timezone_id="Asia/Tokyo", locale="en-GB")
    page = context.new_page()
    page.goto("/api/sessions/")
    type_credentials(page)
    expect(page.locator("[data-time-zone]")).to_have_text("Asia/Tokyo")
    expect(page.locator("time").first).not_to_contain_text("Nov.")  # as the server writes it
    context.close()


def test_the_keyboard_is_enough_for_every_action(page: Page, stranger: Session, user: Any) -> None:
    page.goto("/api/sessions/")
    type_credentials(page)
    page.bring_to_front()
    naming = page.locator("summary", has_text=f"Give it a name: {STRANGER}")
    reach(page, naming)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("The old laptop")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The name is saved.")).to_be_visible()
    button = page.get_by_role("button", name="End the session of The old laptop")
    reach(page, button)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("End the session of The old laptop?")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    reach(page, page.get_by_role("button", name="Yes"), within=2)
    page.keyboard.press("Enter")
    expect(page.get_by_text("The session has ended.")).to_be_visible()
    phone = sessions.start(user).session
    reach(page, page.get_by_role("button", name="Sign out all other devices"))
    page.keyboard.press("Enter")
    reach(page, page.get_by_role("button", name="Yes"), within=2)
    page.keyboard.press("Enter")
    expect(page.get_by_text("All your other devices are signed out.")).to_be_visible()
    phone.refresh_from_db()
    assert phone.end_reason == EndReason.LOGOUT
    reach(page, page.get_by_role("link", name="Change your password"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Current password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(NEW_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    page.goto("/api/sessions/")
    reach(page, page.get_by_role("button", name="Sign out everywhere"))
    page.keyboard.press("Enter")
    reach(page, page.get_by_role("button", name="Yes"), within=2)
    page.keyboard.press("Enter")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert not Session.objects.filter(ended_at=None).exists()


def test_every_action_works_without_javascript(plain: Page, stranger: Session, user: Any) -> None:
    plain.goto("/")
    plain.get_by_role("main").get_by_role("link", name="My sessions").click()
    sign_in_without_scripts(plain)
    plain.get_by_text(f"Give it a name: {STRANGER}").click()
    plain.get_by_label(f"Name of {STRANGER}").fill("The old laptop")
    plain.get_by_role("button", name="Save").locator("visible=true").first.click()
    expect(plain.get_by_text("The name is saved.")).to_be_visible()
    expect(plain.locator("[data-time-zone]")).to_have_text("UTC")
    plain.get_by_label("Show times in").select_option("Asia/Tokyo")
    plain.locator(".zone").get_by_role("button", name="Save").click()
    expect(plain.locator("[data-time-zone]")).to_have_text("Asia/Tokyo")
    plain.get_by_role("button", name="End the session of The old laptop").click()
    plain.get_by_role("link", name="Cancel").click()
    plain.get_by_role("button", name="End the session of The old laptop").click()
    plain.get_by_role("button", name="End the session").click()
    expect(plain.get_by_text("The session has ended.")).to_be_visible()
    stranger.refresh_from_db()
    assert stranger.end_reason == EndReason.REVOKED
    phone = sessions.start(user).session
    confirm(plain, "Sign out all other devices")
    expect(plain.get_by_text("All your other devices are signed out.")).to_be_visible()
    phone.refresh_from_db()
    assert phone.end_reason == EndReason.LOGOUT
    plain.get_by_role("banner").get_by_role("link", name="ada").click()
    plain.get_by_role("link", name="Change your password").click()
    plain.get_by_label("Current password").fill(PASSWORD)
    plain.get_by_label("New password").fill(NEW_PASSWORD)
    plain.get_by_role("button", name="Change the password").click()
    expect(plain.get_by_text("Your password is changed.")).to_be_visible()
    plain.get_by_role("main").get_by_role("link", name="My sessions").click()
    confirm(plain, "Sign out everywhere")
    expect(plain.get_by_text("You are signed out.")).to_be_visible()
    assert not Session.objects.filter(ended_at=None).exists()


def test_who_was_away_goes_on_without_javascript(plain: Page, user: Any) -> None:
    plain.goto("/api/sessions/")
    sign_in_without_scripts(plain)
    plain.context.clear_cookies(name="latchkey_access")
    plain.goto("/api/me/")
    plain.get_by_role("button", name="Continue").click()
    expect(plain.get_by_role("heading", name="My account")).to_be_visible()


def sign_in_without_scripts(page: Page) -> None:
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My sessions")).to_be_visible()


def confirm(page: Page, name: str) -> None:
    """Click the button, and then the button of the same name on the page that asks."""
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.get_by_role("button", name=name).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_documentation_follows_the_readers_colours_and_leads_back(
    page: Page, scheme: Any, user: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("/api/docs/")
    page.get_by_role("button", name="Refresh the tokens").first.wait_for()
    assert is_bright(page) is (scheme == "light")
    page.get_by_role("banner").get_by_role("link", name="Latchkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tokens that can be revoked")
    assert is_bright(page) is (scheme == "light")


def is_bright(page: Page) -> bool:
    """Return whether the background is: that of the body, or of the document behind it."""
    page.wait_for_load_state("load")  # The text is there before the style sheet is.
    colours = page.evaluate(
        "[document.body, document.documentElement].map(e => getComputedStyle(e).backgroundColor)"
    )
    shown = next(colour for colour in colours if colour != "rgba(0, 0, 0, 0)")
    return int(shown.partition("(")[2].partition(",")[0]) > 127

"""Staff revoke tokens, sessions and keys in a real browser, and the client's next call shows it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect
from rest_framework.test import RequestsClient

from tests.browser.checks import assert_accessible, assert_fits, both_widths
from tests.browser.data import FIREFOX, live_in
from tests.conftest import PASSWORD
from tokens.models import SigningKey

# Django's own markup on a user's page: the hints next to the two-column selects have labels, which
# ARIA forbids, and the parts of a date have none.
DJANGO_S_OWN = ("aria-prohibited-attr", "label")


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def ada(user: Any, site: str) -> Callable[[], int]:
    """Sign ``ada`` in over the API; return a function that calls it and returns the status."""
    client = RequestsClient()
    client.headers["User-Agent"] = FIREFOX
    answer = client.post(f"{site}/api/token/", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    headers = {"Authorization": f"Bearer {answer.json()['access']}"}
    return lambda: int(client.get(f"{site}/api/me/", headers=headers).status_code)


def search(admin: Page, term: str) -> None:
    admin.goto("/admin/tokens/session/")
    admin.get_by_role("textbox", name="Search").fill(term)
    admin.get_by_role("button", name="Search").click()


@both_widths
def test_staff_finds_a_session_by_username_and_revokes_it(
    admin: Page, ada: Callable[[], int]
) -> None:
    assert ada() == 200
    search(admin, "ada")
    expect(admin.locator("#result_list")).to_contain_text("Firefox on Linux")
    admin.get_by_role("link", name="Revoke the session of ada").click()
    expect(admin.get_by_text("revokes 1 session of 1 user")).to_be_visible()
    admin.get_by_label("Reason").fill("phone lost in a taxi")
    admin.get_by_role("button", name="Revoke").click()
    expect(admin.get_by_text("1 session revoked")).to_be_visible()
    assert ada() == 401
    history = admin.get_by_role("region", name="History of this session")
    expect(history).to_contain_text("by grace")
    expect(history).to_contain_text("phone lost in a taxi")


def test_staff_revokes_a_selection_with_the_keyboard_alone(
    admin: Page, ada: Callable[[], int]
) -> None:
    search(admin, "ada")
    row = admin.locator("#result_list input.action-select").first
    row.focus()
    admin.keyboard.press("Space")
    admin.locator("select[name=action]").focus()
    admin.keyboard.type("Revoke")
    for key in ("Tab", "Enter"):
        admin.keyboard.press(key)
    expect(admin.get_by_text("revokes 1 session of 1 user")).to_be_visible()
    assert ada() == 200
    admin.get_by_label("Reason").focus()
    admin.keyboard.type("phone lost")
    admin.keyboard.press("Enter")
    expect(admin.get_by_text("1 session revoked")).to_be_visible()
    assert ada() == 401


def test_a_pasted_token_leads_to_its_session_and_into_no_address(admin: Page, user: Any) -> None:
    pair = live_in()["barbara"]
    addresses: list[str] = []
    admin.on("request", lambda request: addresses.append(request.url))
    search(admin, f"Bearer {pair.raw_access}")
    expect(admin).to_have_url(re.compile(rf"/session/{pair.session.pk}/change/$"))
    expect(admin.get_by_text("This is the session of the access token")).to_be_visible()
    assert addresses
    assert not any("eyJ" in address for address in addresses)
    assert pair.raw_access not in admin.content()


def test_staff_signs_a_person_out_everywhere_from_their_page(
    admin: Page, ada: Callable[[], int], user: Any
) -> None:
    admin.goto(f"/admin/accounts/user/{user.pk}/change/")
    expect(admin.get_by_role("group", name="newest sessions")).to_contain_text("Firefox on Linux")
    admin.get_by_role("link", name="Sign out everywhere").click()
    admin.get_by_label("Reason").fill("left the company")
    admin.get_by_role("button", name="Sign out everywhere").click()
    expect(admin.get_by_text("1 session revoked")).to_be_visible()
    assert ada() == 401


def test_deactivating_a_person_says_what_ended(
    admin: Page, ada: Callable[[], int], user: Any
) -> None:
    admin.goto(f"/admin/accounts/user/{user.pk}/change/")
    admin.get_by_label("Active", exact=True).uncheck()
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("This change ended 1 session of ada.")).to_be_visible()
    assert ada() == 401


def test_staff_rotates_the_signing_key_and_all_stay_signed_in(
    admin: Page, ada: Callable[[], int]
) -> None:
    former = SigningKey.objects.get(state="signing").kid
    admin.goto("/admin/tokens/signingkey/")
    admin.get_by_role("link", name="Rotate").click()
    admin.get_by_role("button", name="Rotate").click()
    expect(admin.get_by_text("signs from now on")).to_be_visible()
    assert SigningKey.objects.get(state="signing").kid != former
    assert ada() == 200


@both_widths
def test_every_page_can_be_read_and_used_by_all(admin: Page) -> None:
    pairs = live_in()
    incident, live = pairs["radia"].session, pairs["donald"].session
    session, user = "/admin/tokens/session/", f"/admin/accounts/user/{live.user_id}/"
    pages = {
        "/admin/": (),
        session: (),
        f"{session}?state=live&refreshed=hour": (),
        f"{session}?q=nobody": (),
        f"{session}?q=do&network=nonsense": (),
        f"{session}{incident.pk}/change/": (),
        f"{session}{live.pk}/change/": (),
        f"{session}{live.pk}/revoke/": (),
        "/admin/tokens/deniedtoken/": (),
        "/admin/tokens/deniedtoken/add/": (),
        "/admin/tokens/signingkey/": (),
        "/admin/tokens/signingkey/rotate/": (),
        "/admin/tokens/signingkey/revoke-previous/": (),
        f"{user}change/": DJANGO_S_OWN,
        f"{user}sign-out/": (),
    }
    for scheme in ("light", "dark"):
        # Before the page is opened: its links change their colours slowly.
        admin.emulate_media(color_scheme=scheme)
        for address, but in pages.items():
            answer = admin.goto(address)
            assert answer is not None
            assert answer.status == 200, address
            assert_fits(admin)
            assert_accessible(admin, but=but)

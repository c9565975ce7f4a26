"""Every page fits its window, is accessible and has nothing inline, for each reader and width."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.checks import (
    assert_accessible,
    assert_accessible_in_both_modes,
    assert_fits_everywhere,
    both_widths,
)
from tests.browser.pages import NOBODY, PAGES, PERSON, STAFF
from tests.browser.people import settle
from tests.browser.screenshots import sign_in
from tests.conftest import PASSWORD


@both_widths
@pytest.mark.parametrize("reader", [NOBODY, PERSON, STAFF])
def test_each_page_fits_can_be_read_by_all_and_has_nothing_inline(page: Page, reader: str) -> None:
    keys = settle(PASSWORD)
    sign_in(page, reader)
    complaints = []
    for shown in PAGES:
        if shown.reader == reader:
            answer = page.goto(shown.path.format(**keys))
            assert answer is not None
            assert answer.status in (200, 401, 405), shown
            assert "script-src 'self'" in answer.headers["content-security-policy"], shown
            shown.then(page)
            try:
                assert_fits_everywhere(page)
                if shown.is_ours:
                    assert_accessible_in_both_modes(page)
                else:
                    assert_accessible(page, but=shown.but)
            except AssertionError as complaint:
                complaints.append(f"{shown.name}: {complaint}")
    assert complaints == []


def test_the_first_page_works_without_scripts_and_leads_everywhere(
    chromium: Browser, site: str
) -> None:
    context = chromium.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tokens that can be revoked")
    expect(page.get_by_text(f"curl -s {site}/api/token/ -d username=$USERNAME")).to_be_visible()
    links = page.get_by_role("link").all()
    addresses = {str(link.get_attribute("href")) for link in links} - {"#main"}
    found = {address: context.request.get(address).status for address in addresses}
    # These two require a signed-in user; every other page is public.
    asks = {"/api/me/": 401, "/api/sessions/": 401}
    assert found == dict.fromkeys(addresses, 200) | asks
    assert {"/api/docs/", "/api/schema/", "/admin/", "/healthz", "/readyz"} <= addresses
    context.close()

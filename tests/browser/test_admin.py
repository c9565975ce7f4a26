"""The admin's sign-in page works in a real browser and is accessible."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.checks import assert_accessible, assert_fits, both_widths
from tests.conftest import PASSWORD


@both_widths
def test_staff_signs_in_and_out(admin: Page, staff: Any) -> None:
    expect(admin.get_by_role("heading", name="Site administration")).to_be_visible()
    expect(admin.locator("#user-tools")).to_contain_text(staff.username)
    assert_fits(admin)
    admin.get_by_role("button", name="Log out").click()
    expect(admin.get_by_text("Thanks for spending some quality time")).to_be_visible()
    admin.goto("/admin/")
    expect(admin.get_by_label("Password")).to_be_visible()


@both_widths
def test_the_sign_in_of_the_admin_can_be_read_and_used_by_all(page: Page, user: Any) -> None:
    page.goto("/admin/")
    assert_fits(page)
    assert_accessible(page)
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    # She is not staff.
    expect(page.locator(".errornote")).to_contain_text("staff account")
    assert_accessible(page)

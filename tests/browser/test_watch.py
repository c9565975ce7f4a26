"""The checks of the browser tests report what they are there to find."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.checks import assert_accessible, assert_fits
from tests.browser.conftest import watch

HEAD = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1>"


def show(page: Page, body: str, *, csp: str = "") -> None:
    """Show a page with this body, as if the site had served it."""
    headers = {"Content-Type": "text/html", "Content-Security-Policy": csp}
    page.route("**/made-up/", lambda route: route.fulfill(body=HEAD + body, headers=headers))
    page.goto("/made-up/")
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(
    ("body", "csp", "complaint"),
    [
        ("<script>document.title = 'inline'</script>", "script-src 'self'", "violates"),
        ("<p style='color: red'>red</p>", "style-src 'self'", "violates"),
        ("<script>throw new Error('no')</script>", "", "A script failed"),
        ("<img alt='' src='http://192.0.2.1/x.png'>", "img-src 'none'", "violates"),
        ("<img alt='' src='http://127.0.0.1:9/x.png'>", "", "A request to another host"),
    ],
)
def test_the_watch_complains(
    chromium: Browser, site: str, body: str, csp: str, complaint: str
) -> None:
    complaints: list[str] = []
    context = chromium.new_context(base_url=site)
    watch(context, complaints, host=site.removeprefix("http://"))
    show(context.new_page(), body, csp=csp)
    context.close()
    assert [text for text in complaints if complaint in text]


def test_a_page_that_is_too_wide_is_named(page: Page) -> None:
    show(page, "<p id=wide style='width: 2000px'>wide</p>")
    with pytest.raises(AssertionError, match=r"id=.*wide"):
        assert_fits(page)
    show(page, "<p>narrow</p>")
    assert_fits(page)


def test_a_page_that_cannot_be_read_is_named(page: Page) -> None:
    show(page, "<p style='color: #eee; background: #fff'>pale</p><input>")
    with pytest.raises(AssertionError, match=r"color-contrast.*label"):
        assert_accessible(page)
    assert_accessible(page, but=("color-contrast", "label"))
    show(page, "<p>fine</p>")
    assert_accessible(page)

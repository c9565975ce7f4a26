"""Checks for every page: it is accessible, and no wider than its window."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

both_widths = pytest.mark.parametrize("page", [1280, 390], indirect=True, ids=["1280px", "390px"])

# The impacts, of axe's four, that keep a user from reading or using a part of the page.
SERIOUS = ("serious", "critical")

# The innermost elements that stick out, so that a failure names the cause.
STICKS_OUT = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const out = [...document.body.querySelectorAll('*')].filter(
        (element) => element.getBoundingClientRect().right > width + 1);
    return out.filter((element) => !out.some(
        (other) => other !== element && element.contains(other)))
        .slice(0, 5).map((element) => element.outerHTML.slice(0, 200));
}"""


def assert_fits(page: Page) -> None:
    """Fail when the page scrolls sideways, and name what sticks out."""
    culprits = page.evaluate(STICKS_OUT)
    assert not culprits, f"{page.url} is wider than its window: {culprits}"


def assert_accessible(page: Page, *, but: tuple[str, ...] = ()) -> None:
    """
    Fail on what axe calls serious or critical: contrast, names, labels, keyboard.

    ``but`` names rules that markup of other packages violates; give the reason beside it.
    """
    # Without preload: it would parse style sheets in inline style elements, which the page forbids.
    options = {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, options=options).response["violations"]
    serious = [
        f"{rule['id']}: {rule['help']}: " + "; ".join(node["html"][:200] for node in rule["nodes"])
        for rule in found
        if rule["impact"] in SERIOUS and rule["id"] not in but
    ]
    assert not serious, f"{page.url}: {serious}"

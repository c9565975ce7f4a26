"""Checks for every page: it is accessible, and no wider than its window."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

both_widths = pytest.mark.parametrize("page", [1280, 390], indirect=True, ids=["1280px", "390px"])

# The impacts, of axe's four, that keep a user from reading or using a part of the page.
SERIOUS = ("serious", "critical")
NARROWEST = 320  # pixels: WCAG 2.2 §1.4.10

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


# A script that listens to the mode, such as that of Swagger, runs before the next frame, and what it
# changes is shown by the one after that.
NEXT_FRAMES = """() => new Promise((shown) =>
    requestAnimationFrame(() => requestAnimationFrame(shown)))"""


def assert_fits(page: Page) -> None:
    """Fail when the page scrolls sideways, and name what sticks out."""
    culprits = page.evaluate(STICKS_OUT)
    assert not culprits, f"{page.url} is wider than its window: {culprits}"


def assert_fits_everywhere(page: Page) -> None:
    """Fail when the page scrolls sideways in its window, or in the narrowest one."""
    assert_fits(page)
    window = page.viewport_size
    assert window is not None
    page.set_viewport_size({**window, "width": NARROWEST})
    assert_fits(page)
    page.set_viewport_size(window)


def assert_accessible(
    page: Page, *, but: tuple[str, ...] = (), impacts: tuple[str, ...] = SERIOUS
) -> None:
    """
    Fail on what axe calls serious or critical: contrast, names, labels, keyboard.

    ``but`` names rules that markup of other packages violates; give the reason beside it. Without
    ``impacts`` the page fails on everything that axe finds.
    """
    # Without preload: it would parse style sheets in inline style elements, which the page forbids.
    options = {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, options=options).response["violations"]
    wrong = [
        f"{rule['id']}: {rule['help']}: " + "; ".join(node["html"][:200] for node in rule["nodes"])
        for rule in found
        if (not impacts or rule["impact"] in impacts) and rule["id"] not in but
    ]
    assert not wrong, f"{page.url}: {wrong}"


def assert_accessible_in_both_modes(page: Page) -> None:
    """Fail on everything that axe finds, for a reader who prefers light pages, and then dark ones."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(NEXT_FRAMES)
        assert_accessible(page, impacts=())
    page.emulate_media(color_scheme="light")

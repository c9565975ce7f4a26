"""
``make screenshots``: pictures of every page, from a temporary site with plausible users.

Writes docs/images/NAME-WIDTH.png, and NAME-WIDTH-dark.png for readers who prefer dark pages. The database is
temporary. ``ARGS="--only my-sessions api-me"`` takes these pages only.
"""

import argparse
import logging
import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import NoChromium, launch
from tests.browser.pages import NOBODY, PAGES, PERSON, STAFF, Shown
from tests.support.processes import running_site

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
HOST = "latchkey.example"  # the site's name in the pictures
READERS = {  # by the width of the window in pixels
    1280: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36",
    390: "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Mobile Safari/537.36",
}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PASSWORD = "correct horse battery staple"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", metavar="NAME", default=[])
    only = set(parser.parse_args().only)
    pages = [shown for shown in PAGES if not only or shown.name in only]
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(prefix="latchkey-screenshots-") as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/scratch.sqlite3"
        prepare_settings()
        keys = fill()
        with running_site(workers=1) as site, sync_playwright() as playwright:
            at = site.base.removeprefix("http://")
            browser = launch(playwright, f"--host-resolver-rules=MAP {HOST}:80 {at}")
            for width in READERS:
                for scheme in SCHEMES:
                    take_pictures(browser, pages, keys, width=width, scheme=scheme)
            browser.close()


def prepare_settings() -> None:
    """Use the settings of ``make run``, whatever .env contains."""
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        SECRET_KEY="only for pictures, long enough, 0123456789-abcdefghijk",
        TOKEN_SECRET="only for pictures too, long enough, 0123456789-abcdef",
        TOKEN_SECRET_FALLBACKS="",
        DEBUG="true",
        HTTPS="false",
        ALLOWED_HOSTS=f"{HOST},127.0.0.1",
        CACHE_URL="",
        LOGIN_THROTTLE="",
        LOG_FORMAT="text",
        TRUSTED_PROXIES="0",
    )


def fill() -> dict[str, str]:
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    logging.disable()
    call_command("migrate", verbosity=0)
    # Only after django.setup(), because it imports the models.
    from tests.browser.people import settle

    keys = settle(PASSWORD)
    connection.close()
    return keys


def take_pictures(
    browser: Browser, pages: list[Shown], keys: dict[str, str], *, width: int, scheme: Scheme
) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    suffix = "" if scheme == "light" else f"-{scheme}"
    for reader in dict.fromkeys(shown.reader for shown in pages):
        context = browser.new_context(
            base_url=f"http://{HOST}",
            user_agent=READERS[width],
            viewport={"width": width, "height": 800},
            reduced_motion="reduce",
            color_scheme=scheme,
            locale="en-GB",
            timezone_id="UTC",
        )
        page = context.new_page()
        sign_in(page, reader)
        for shown in pages:
            if shown.reader == reader:
                page.goto(shown.path.format(**keys))
                shown.then(page)
                save(page, IMAGES / f"{shown.name}-{width}{suffix}.png", width=width)
        if reader == PERSON:
            # So that the next pictures do not show this session.
            page.get_by_role("button", name="Sign out", exact=True).click()
        context.close()


def sign_in(page: Page, reader: str) -> None:
    if reader == NOBODY:
        return
    page.goto("/admin/" if reader == STAFF else "/api/login/")
    page.get_by_label("Username").fill("grace" if reader == STAFF else "ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in" if reader == STAFF else "Sign in").click()
    page.wait_for_url("**/admin/" if reader == STAFF else "**/api/sessions/")


def save(page: Page, path: Path, *, width: int) -> None:
    # Cut long pages off, so that a picture in the README can be taken in at one glance.
    height = min(1600, page.evaluate("document.documentElement.scrollHeight"))
    taken = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    # Pages are mostly text, so a palette is enough, at a third of the size.
    picture = Image.open(BytesIO(taken)).convert("RGB").quantize(128, Image.Quantize.MAXCOVERAGE)
    picture.save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    try:
        main()
    except NoChromium as error:
        sys.exit(str(error))

"""Debian's Chromium under Playwright; the browsers that Playwright would download are not used."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "No Chromium was found. On Debian and Ubuntu: apt install chromium"
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


class NoChromium(Exception):
    pass


def launch(playwright: Playwright, *more: str) -> Browser:
    """
    Start a headless browser with ``more`` arguments.

    Raises NoChromium, whose message says what to install.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise NoChromium(MISSING)
    # Chromium's sandbox does not start for root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=[*QUIET, *sandbox, *more])

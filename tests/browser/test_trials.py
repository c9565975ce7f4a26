"""Small versions of the trials with Chromium (``make trials``): no page signs its user out."""

from functools import partial
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.support.processes import Site
from tests.trials.drivers import with_chromium
from tests.trials.pages import TABS, Shape, run


@pytest.mark.parametrize("shape", [Shape(calls=20), TABS], ids=str)
def test_calls_without_a_lock_end_no_session(chromium: Browser, site: str, shape: Shape) -> None:
    port = urlsplit(site).port
    assert port
    open_pages = partial(with_chromium, chromium)
    figures = run(Site(port), "chromium", open_pages, shape, trials=2)
    assert figures.failures() == [], figures.examples

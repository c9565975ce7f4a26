"""The settings of the tests, for a site that serves the feed."""

import os

from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.feed.urls"
TOKENS_FEED_READERS = os.environ.get("FEED_READERS") or "everybody"
MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *MIDDLEWARE]  # noqa: F405

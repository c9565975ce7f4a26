"""The settings of the site whose reach is measured: those of the tests, with the feed, and no grace."""

from datetime import timedelta

from tests.settings import *  # noqa: F403

TOKENS_ALGORITHM = "ES256"
TOKENS_REFRESH_GRACE = timedelta(0)  # So that a token from two refreshes ago is reuse at once.
LOGGING_CONFIG = None  # The figures stay readable.

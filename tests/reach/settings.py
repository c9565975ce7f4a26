"""The settings of the site whose reach is measured: those of the tests, with the feed, and no grace."""

import logging
from datetime import timedelta

from tests.settings import *  # noqa: F403

TOKENS_ALGORITHM = "ES256"
TOKENS_REFRESH_GRACE = timedelta(0)  # So that a token from two refreshes ago is reuse at once.
# The figures stay readable. Without a handler, Python would print the warnings.
LOGGING_CONFIG = None
logging.getLogger().addHandler(logging.NullHandler())

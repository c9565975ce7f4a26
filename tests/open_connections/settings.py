"""The settings of the site whose connections are measured: those of the tests, with longer lives."""

import os
from datetime import timedelta

from tests.settings import *  # noqa: F403

TOKENS_ALGORITHM = "ES256"
# Longer than the measurement, so that no connection ends because its token expires.
TOKENS_ACCESS_LIFETIME = timedelta(hours=1)
TOKENS_REFRESH_GRACE = timedelta(0)  # So that each refresh is a rotation.
TOKENS_DENYLIST_MAX_STALENESS = timedelta(seconds=float(os.environ.get("CONNECTIONS_BOUND", "1")))
LOGGING_CONFIG = None  # The figures stay readable.

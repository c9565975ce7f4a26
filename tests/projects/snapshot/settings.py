"""The settings of the tests, in snapshot mode, for other processes."""

import os
from datetime import timedelta

from tests.settings import *  # noqa: F403

TOKENS_DENYLIST_MODE = "snapshot"
TOKENS_DENYLIST_MAX_STALENESS = timedelta(seconds=float(os.environ.get("MAX_STALENESS", "1")))
ROOT_URLCONF = "tests.projects.snapshot.urls"

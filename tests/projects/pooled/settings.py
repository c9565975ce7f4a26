"""The settings of the tests behind a pooler, in either mode, for other processes."""

import os

from tests.projects.snapshot.settings import *  # noqa: F403

TOKENS_DENYLIST_MODE = os.environ.get("DENYLIST_MODE", "strict")
# Without the variable, the shipped setting.
if threshold := os.environ.get("PREPARE_THRESHOLD"):
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = (  # noqa: F405
        None if threshold == "None" else int(threshold)
    )

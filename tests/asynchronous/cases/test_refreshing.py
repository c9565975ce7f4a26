"""See ``tests.tokens.sessions.test_refreshing``."""

from tests.tokens.sessions.test_refreshing import *  # noqa: F403

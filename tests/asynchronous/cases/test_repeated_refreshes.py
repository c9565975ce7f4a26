"""See ``tests.tokens.sessions.test_repeated_refreshes``."""

from tests.tokens.sessions.test_repeated_refreshes import *  # noqa: F403

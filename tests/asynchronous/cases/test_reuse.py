"""See ``tests.tokens.sessions.test_reuse``."""

from tests.tokens.sessions.test_reuse import *  # noqa: F403

"""See ``tests.tokens.sessions.test_lifecycle``."""

from tests.tokens.sessions.test_lifecycle import *  # noqa: F403

"""See ``tests.tokens.sessions.test_issuing_alone``."""

from tests.tokens.sessions.test_issuing_alone import *  # noqa: F403

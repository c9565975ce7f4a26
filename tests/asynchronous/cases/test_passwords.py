"""See ``tests.tokens.sessions.test_passwords``."""

from tests.tokens.sessions.test_passwords import *  # noqa: F403

"""See ``tests.tokens.sessions.test_answers_to_refreshes``."""

from tests.tokens.sessions.test_answers_to_refreshes import *  # noqa: F403

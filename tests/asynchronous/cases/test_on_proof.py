"""See ``tests.tokens.sessions.test_on_proof``."""

from tests.tokens.sessions.test_on_proof import *  # noqa: F403
from tests.tokens.sessions.test_on_proof import _on_proof  # noqa: F401

"""The settings of the project with limits that a test fills within seconds, for a long time."""

from config.settings import *  # noqa: F403

TOKENS_REFRESH_THROTTLE = "30/day"
TOKENS_REVOKE_THROTTLE = "30/day"

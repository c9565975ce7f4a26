"""The settings of the project without limits, from the environment that ``make soak`` sets."""

from datetime import timedelta

from config.settings import *  # noqa: F403
from tests.support.no_limits import *  # noqa: F403

# Short enough for sessions and keys to expire during the run, so that pruning has work.
TOKENS_ACCESS_LIFETIME = timedelta(seconds=20)
TOKENS_REFRESH_LIFETIME = timedelta(seconds=60)
# Short enough for a session to rotate many times, and longer than a killed worker takes to return.
TOKENS_REFRESH_GRACE = timedelta(seconds=10)
TOKENS_RETENTION = timedelta(seconds=60)
TOKENS_INCIDENT_RETENTION = timedelta(seconds=60)

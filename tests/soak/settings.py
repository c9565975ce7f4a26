"""The project's settings, from the environment that ``make soak`` makes, without limits."""

from datetime import timedelta

from config.settings import *  # noqa: F403
from tests.support.no_limits import *  # noqa: F403

# So short that sessions and keys come due while it runs, and prunings have something to take.
TOKENS_ACCESS_LIFETIME = timedelta(seconds=20)
TOKENS_REFRESH_LIFETIME = timedelta(seconds=60)
TOKENS_RETENTION = timedelta(seconds=60)
TOKENS_INCIDENT_RETENTION = timedelta(seconds=60)

"""The project's settings, from the environment that ``make soak`` makes, without limits."""

from config.settings import *  # noqa: F403
from tests.no_limits import *  # noqa: F403

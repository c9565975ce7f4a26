"""The settings of the project with the default lifetimes, without limits, from the environment."""

from config.env import ROOT
from config.settings import *  # noqa: F403
from tests.support.mail_in_memory import *  # noqa: F403
from tests.support.no_limits import *  # noqa: F403
from tokens.conf import Settings

TOKENS_ACCESS_LIFETIME = Settings.TOKENS_ACCESS_LIFETIME.default
TOKENS_REFRESH_LIFETIME = Settings.TOKENS_REFRESH_LIFETIME.default
TOKENS_SESSION_LIFETIME = Settings.TOKENS_SESSION_LIFETIME.default
TOKENS_REFRESH_GRACE = Settings.TOKENS_REFRESH_GRACE.default

STATIC_ROOT = ROOT / "docs" / "images"  # A folder that exists; nothing is collected.
# Each of many thousand refreshes, and each refused call, would have a line.
for name in ("tokens", "django"):
    LOGGING["loggers"][name]["level"] = "ERROR"  # noqa: F405

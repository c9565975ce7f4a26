"""The settings of the project without limits, and with a hasher that is not slow by design."""

from config.env import ROOT
from config.settings import *  # noqa: F403
from tests.support.no_limits import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT = ROOT / "docs" / "images"  # WhiteNoise warns of one that is missing.
TOKENS_ACCOUNT_THROTTLE = ""

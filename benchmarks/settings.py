"""The tests' settings plus the similar packages, each set up as its own manual says."""

import os
from datetime import timedelta

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, MIDDLEWARE, SECRET_KEY

TOKENS_ACCESS_LIFETIME = timedelta(hours=1)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

# New lists: those of the project stay as they are, and its own view is measured with them.
INSTALLED_APPS = [
    *INSTALLED_APPS,
    "rest_framework.authtoken",
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
    "knox",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.headless",
]
MIDDLEWARE = [*MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
ROOT_URLCONF = "benchmarks.urls"

# The same lifetime and algorithm for all packages, and rotation where a package has it.
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=1),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "SIGNING_KEY": SECRET_KEY,
}
HEADLESS_TOKEN_STRATEGY = "allauth.headless.tokens.strategies.jwt.JWTTokenStrategy"
HEADLESS_JWT_ALGORITHM = "HS256"
HEADLESS_ONLY = True
HEADLESS_FRONTEND_URLS: dict[str, str] = {}
OAUTH2_PROVIDER = {"OAUTH2_BACKEND_CLASS": "oauth2_provider.oauth2_backends.OAuthLibCore"}

# Sign-ins are counted as by default, but one user may sign in at any rate.
TOKENS_LOGIN_THROTTLE = TOKENS_ACCOUNT_THROTTLE = "1000000/min"
TOKENS_SESSIONS_PER_USER = 0  # One user signs in thousands of times.
TOKENS_DENYLIST_MODE = os.environ.get("BENCH_DENYLIST_MODE", "strict")
for name in ("tokens", "django"):
    LOGGING["loggers"][name]["level"] = "ERROR"  # noqa: F405

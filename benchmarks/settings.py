"""The project's settings with its peers beside it, each as its own manual sets it up."""

import os

os.environ.update(
    SECRET_KEY="a-secret-key-for-benchmarks-that-guards-nothing-0123456789",
    TOKEN_SECRET="a-token-secret-for-benchmarks-that-guards-nothing-0123456789",
    TOKEN_SECRET_FALLBACKS="",
    DEBUG="false",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    HTTPS="false",
    TRUSTED_PROXIES="0",
    TOKEN_ISSUER="latchkey",
    TOKEN_AUDIENCE="latchkey",
    TOKEN_ALGORITHM="HS256",
    ACCESS_TOKEN_LIFETIME="3600",
    REFRESH_TOKEN_LIFETIME="1209600",
    SESSION_LIFETIME="7776000",
    REFRESH_TOKEN_GRACE="10",
    LOGIN_THROTTLE="",
    CORS_ALLOWED_ORIGINS="",
    LOG_FORMAT="text",
    CACHE_URL="",
)

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS, MIDDLEWARE, SECRET_KEY, timedelta

INSTALLED_APPS += [
    "rest_framework.authtoken",
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
    "knox",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.headless",
]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
ROOT_URLCONF = "benchmarks.urls"

# The same life and algorithm for everybody's tokens; rotation where it is to be had.
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
HEADLESS_FRONTEND_URLS = {}
OAUTH2_PROVIDER = {"OAUTH2_BACKEND_CLASS": "oauth2_provider.oauth2_backends.OAuthLibCore"}

TOKENS_DENYLIST_MODE = os.environ.get("BENCH_DENYLIST_MODE", "strict")
for name in ("tokens", "django"):
    LOGGING["loggers"][name]["level"] = "ERROR"  # noqa: F405

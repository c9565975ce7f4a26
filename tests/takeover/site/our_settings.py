import os
from datetime import timedelta

from tokens.conf import Settings

from .common import *  # noqa: F403
from .common import COMMON_APPS, VARIANT

INSTALLED_APPS = [*COMMON_APPS, "tokens", "tokens.takeover"]
MIDDLEWARE = [
    "tokens.api.middleware.ClientMiddleware",
    "tokens.api.middleware.TokenCookieMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "tokens.backends.SignInLimitBackend",
    "django.contrib.auth.backends.ModelBackend",
]
ROOT_URLCONF = "tests.takeover.site.our_urls"
WSGI_APPLICATION = "tests.takeover.site.wsgi.application"
TOKENS_SECRET = "a-token-secret-for-tests-that-is-long-enough-0123456789"
# The former site of the other variant rotated, so its clients keep each new refresh token.
TOKENS_ROTATION = "on_proof" if VARIANT == "hs256" else "always"
TOKENS_LOGIN_THROTTLE = ""
TOKENS_ACCESS_LIFETIME = timedelta(seconds=int(os.environ.get("TAKEOVER_OUR_ACCESS", "300")))
TOKENS_REFRESH_GRACE = min(Settings.TOKENS_REFRESH_GRACE.default, TOKENS_ACCESS_LIFETIME / 2)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "EXCEPTION_HANDLER": "tokens.api.exception_handler.exception_handler",
}

import os
from typing import Any

import dj_database_url

from tests.projects.with_admin import *  # noqa: F403

ROOT_URLCONF = "tests.projects.doors.urls"
database: Any = dj_database_url.parse(os.environ["DATABASE_URL"])
database["TEST"] = {"NAME": os.environ["TEST_DATABASE"]}
database["ATOMIC_REQUESTS"] = os.environ["ATOMIC_REQUESTS"] == "yes"
if database["ENGINE"].endswith("sqlite3"):
    database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA synchronous=OFF",  # Nothing here has to survive a power cut.
    }
DATABASES = {"default": database}
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "tokens.backends.SignInLimitBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "tests.projects.doors.backends.EmailBackend",
]
PASSWORD_HASHERS = ["tests.projects.doors.hashers.NotingHasher"]
LOGIN_REDIRECT_URL = "/who/"
INSTALLED_APPS = [
    *OTHER_APPS,  # noqa: F405
    "rest_framework.authtoken",
    "allauth",
    "allauth.account",
    "dj_rest_auth",
    "djoser",
    "accounts",
    "tokens",
]
MIDDLEWARE = [
    "tokens.api.middleware.ReadableRequestMiddleware",
    "tokens.api.middleware.ClientMiddleware",
    *OTHER_MIDDLEWARE,  # noqa: F405
    "tokens.api.django_sessions.DjangoSessionMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tokens.api.middleware.TokenCookieMiddleware",
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
# Only what fails unexpectedly is printed.
LOGGING = {"version": 1, "root": {"level": "ERROR"}, "loggers": {"tokens": {"level": "ERROR"}}}
# So that allauth's own limits do not stop an attempt before ours.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
TOKENS_LOGIN_THROTTLE = "10/min"

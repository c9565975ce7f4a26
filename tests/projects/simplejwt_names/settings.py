"""A project that was written for djangorestframework-simplejwt, dj-rest-auth and djoser."""

import os
from datetime import timedelta
from typing import Any

import dj_database_url

from tests.projects.with_admin import *  # noqa: F403
from tests.support.mail_in_memory import *  # noqa: F403

database: Any = dj_database_url.parse(os.environ.get("DATABASE_URL", "sqlite://:memory:"))
if database["ENGINE"].endswith("sqlite3"):
    database["NAME"] = ":memory:"
else:
    database["TEST"] = {"NAME": f"test_names_{os.getpid()}"}  # Several processes run at once.
DATABASES = {"default": database}
ROOT_URLCONF = "tests.projects.simplejwt_names.urls"
INSTALLED_APPS = [
    "tokens.simplejwt_names",
    *OTHER_APPS,  # noqa: F405
    "django.contrib.sites",
    "rest_framework_simplejwt",
    *([] if "WITHOUT_BLACKLIST" in os.environ else ["rest_framework_simplejwt.token_blacklist"]),
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "dj_rest_auth",
    "dj_rest_auth.registration",
    "djoser",
    "tokens",
]
MIDDLEWARE = [
    "tokens.api.middleware.ClientMiddleware",
    *OTHER_MIDDLEWARE,  # noqa: F405
    "allauth.account.middleware.AccountMiddleware",
    "tokens.api.middleware.TokenCookieMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "tokens.backends.SignInLimitBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "dj_rest_auth.jwt_auth.JWTCookieAuthentication",
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=4),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=2),
    "ROTATE_REFRESH_TOKENS": True,
    "AUTH_HEADER_TYPES": ("Bearer", "JWT"),
}
REST_AUTH = {
    "USE_JWT": True,
    "TOKEN_MODEL": None,
    "JWT_AUTH_HTTPONLY": False,
    "SESSION_LOGIN": False,
}
DJOSER = {"TOKEN_MODEL": None}
SITE_ID = 1
USE_TZ = "WITHOUT_TIME_ZONES" not in os.environ
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = False

import os

from tests.projects.with_admin import *  # noqa: F403

ROOT_URLCONF = "tests.projects.other_names.urls"
AUTH_USER_MODEL = f"other_names.{os.environ['USER_MODEL']}"
AUTHENTICATION_BACKENDS = [
    "tokens.backends.SignInLimitBackend",
    "tests.projects.other_names.backends.CodeBackend",
    "django.contrib.auth.backends.ModelBackend",
]
INSTALLED_APPS = [*OTHER_APPS, "tests.projects.other_names", "tokens"]  # noqa: F405
MIDDLEWARE = [
    *OTHER_MIDDLEWARE,  # noqa: F405
    "tokens.api.middleware.ClientMiddleware",
    "tokens.api.middleware.TokenCookieMiddleware",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TOKENS_LOGIN_THROTTLE = "1000/hour"

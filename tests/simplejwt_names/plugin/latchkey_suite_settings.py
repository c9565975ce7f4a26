"""dj-rest-auth's own settings for its tests, with this project's apps in front, and limits on."""

from latchkey_suite import APPS, BACKENDS, SECRET
from latchkey_suite import MIDDLEWARE as CLIENT_MIDDLEWARE

from tests.settings import *  # noqa: F403  # of dj-rest-auth

INSTALLED_APPS = [*APPS, *INSTALLED_APPS]  # noqa: F405
MIDDLEWARE = [CLIENT_MIDDLEWARE, *MIDDLEWARE]  # noqa: F405
AUTHENTICATION_BACKENDS = [BACKENDS[0], *AUTHENTICATION_BACKENDS]  # noqa: F405
TOKENS_SECRET = SECRET
ROOT_URLCONF = "tests.urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # The suite hashes a lot.

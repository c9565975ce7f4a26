import os
from typing import Any

from tests.projects.defaults import variants
from tests.projects.with_admin import *  # noqa: F403
from tests.support.no_limits import *  # noqa: F403

VARIANT = os.environ.get("VARIANT", variants.PLAIN)

REST_FRAMEWORK = variants.DEFAULTS.get(VARIANT, {})
URLS, PREFIX = variants.PLACES.get(VARIANT, ("plain", "/api/"))
ROOT_URLCONF = "tests.projects.defaults.urls"
ALLOWED_HOSTS = ["testserver", ".example.org"]
DATABASES: Any = {  # type: ignore[no-redef]
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", ""),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA synchronous=OFF;",
        },
    }
}
INSTALLED_APPS = [
    *(name for name in OTHER_APPS if name != "django.contrib.admin"),  # noqa: F405
    "tokens",
]
MIDDLEWARE = [
    *OTHER_MIDDLEWARE,  # noqa: F405
    *variants.MIDDLEWARE.get(VARIANT, []),
    "tokens.api.middleware.TokenCookieMiddleware",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LANGUAGE_CODE = "en"

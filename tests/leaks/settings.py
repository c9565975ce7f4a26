"""The project of the tests with an address of its own, a middleware that can fail, and admins."""

import os

from tests.settings import *  # noqa: F403
from tests.support.mail_in_memory import *  # noqa: F403

ROOT_URLCONF = "tests.leaks.urls"
MIDDLEWARE = [*MIDDLEWARE, "tests.leaks.urls.FailingMiddleware"]  # noqa: F405
ADMINS = [("Grace", "grace@example.org")]
LOGGING = {"version": 1, "disable_existing_loggers": False}
if "init_command" in DATABASES["default"]["OPTIONS"]:  # noqa: F405
    # The stories commit some ten thousand times.
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA synchronous=OFF;"  # noqa: F405
TOKENS_USER_RULE = "tests.leaks.failures.rule"
TOKENS_CLAIMS_HOOK = "tests.leaks.failures.claims"
if DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":  # noqa: F405
    # Several of these processes run at once.
    DATABASES["default"]["TEST"] = {"NAME": f"latchkey_leaks_{os.getpid()}"}  # noqa: F405

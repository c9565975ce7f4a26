"""The settings of a project that tests itself with ``tokens.testing``. Nothing here is set up for it."""

import os
from pathlib import Path
from typing import Any

import dj_database_url

from tests.projects.bare.settings import *  # noqa: F403

ROOT_URLCONF = "tests.projects.testing.urls"
FOLDER = Path(os.environ["FOLDER"])
_database: Any = dj_database_url.parse(os.environ["DATABASE_URL"])
# A database of its own, which ``--reuse-db`` finds again.
_is_file = _database["ENGINE"] == "django.db.backends.sqlite3"
_database["TEST"] = {"NAME": str(FOLDER / "test.sqlite3") if _is_file else f"testing_{FOLDER.name}"}
DATABASES = {"default": _database}
TOKENS_SECRET = os.environ.get("SECRET_OF_TESTS", TOKENS_SECRET)  # noqa: F405
TOKENS_DENYLIST_MODE = os.environ.get("DENYLIST_MODE", "strict")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

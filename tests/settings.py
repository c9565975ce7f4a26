"""The settings of the project with every environment variable set, so that ``.env`` is not read."""

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

os.environ.update(
    SECRET_KEY="a-secret-key-for-tests-that-is-long-enough-0123456789",
    SECRET_KEY_FALLBACKS="",
    TOKEN_SECRET="a-token-secret-for-tests-that-is-long-enough-0123456789",
    TOKEN_SECRET_FALLBACKS="",
    DEBUG="false",
    CSRF_TRUSTED_ORIGINS="",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    HTTPS="false",
    TRUSTED_PROXIES="0",
    TOKEN_ISSUER="latchkey",
    TOKEN_AUDIENCE="latchkey",
    TOKEN_ALGORITHM="HS256",
    ACCESS_TOKEN_LIFETIME="300",
    REFRESH_TOKEN_LIFETIME="1209600",
    SESSION_LIFETIME="7776000",
    LOGIN_THROTTLE="",
    CORS_ALLOWED_ORIGINS="",
    LOG_FORMAT="text",
)
# Tests that start a site may set it.
os.environ.setdefault("REFRESH_TOKEN_GRACE", "30")
os.environ.setdefault("FEED_READERS", "")
# `make test-services` sets these two.
os.environ.setdefault("DATABASE_URL", f"sqlite:///{tempfile.gettempdir()}/unused.sqlite3")
os.environ.setdefault("CACHE_URL", "")

from config.settings import *  # noqa: F403
from tests.support.no_limits import *  # noqa: F403

folder = Path(tempfile.mkdtemp(prefix="latchkey-tests-"))
STATIC_ROOT = folder

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file, because other threads and processes use the same database.
    DATABASES["default"]["TEST"] = {"NAME": str(folder / "test.sqlite3")}  # noqa: F405

# Packages that can be deleted, and that a project installs itself.
for app in ("tokens.takeover", "tokens.feed"):
    if find_spec(app) and app not in INSTALLED_APPS:  # noqa: F405
        INSTALLED_APPS = [*INSTALLED_APPS, app]  # noqa: F405

if find_spec("tokens.status_list"):
    INSTALLED_APPS = [*INSTALLED_APPS, "tokens.status_list"]
    TOKENS_STATUS_LIST_URL = (
        None  # The key of the tests is no public one. tests/status_list has others.
    )

INSTALLED_APPS = [*INSTALLED_APPS, "tests.support.flushing"]

# Argon2 is slow by design. The tests that need it set it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

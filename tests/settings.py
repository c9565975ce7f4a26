"""The settings of the project with every environment variable set, so that ``.env`` is not read."""

import os
import tempfile
from pathlib import Path

os.environ.update(
    SECRET_KEY="a-secret-key-for-tests-that-is-long-enough-0123456789",
    SECRET_KEY_FALLBACKS="",
    TOKEN_SECRET="a-token-secret-for-tests-that-is-long-enough-0123456789",
    TOKEN_SECRET_FALLBACKS="",
    DEBUG="false",
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

# Argon2 is slow by design. The tests that need it set it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

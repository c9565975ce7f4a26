"""The settings that do not change with the switch."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from config.env import Environment

VARIANT = os.environ["TAKEOVER_VARIANT"]
SECRET_KEY = "a-secret-key-for-tests-that-is-long-enough-0123456789"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
DATABASES: dict[str, dict[str, Any]] = {
    "default": Environment().database("DATABASE_URL", default_path=Path("unused"))
}
DATABASES["default"]["ATOMIC_REQUESTS"] = os.environ.get("TAKEOVER_ATOMIC") == "1"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 60,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
COMMON_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
]
STATIC_URL = "static/"
SIMPLE_JWT: dict[str, Any] = {
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=int(os.environ.get("TAKEOVER_ACCESS", "300"))),
}
if VARIANT == "rs256":
    key = Path(os.environ["TAKEOVER_KEY"]).read_text()
    public = Path(os.environ["TAKEOVER_KEY"] + ".pub").read_text()
    SIMPLE_JWT |= {
        "ALGORITHM": "RS256",
        "SIGNING_KEY": key,
        "VERIFYING_KEY": public,
        "USER_ID_FIELD": "username",
        "USER_ID_CLAIM": "name",
        "AUDIENCE": "clients",
        "ISSUER": "https://former.example",
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    }

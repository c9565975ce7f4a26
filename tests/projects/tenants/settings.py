import os
from datetime import timedelta
from typing import Any

import dj_database_url

from tests.projects.bare.settings import *  # noqa: F403

LAYOUT = os.environ.get("LAYOUT", "tenant")
OURS = ["django.contrib.auth", "tokens"]
SHARED_APPS = [
    "django_tenants",
    "tests.projects.tenants",
    "django.contrib.contenttypes",
    *(OURS if LAYOUT != "tenant" else []),
]
TENANT_APPS = ["django.contrib.contenttypes", *(OURS if LAYOUT != "shared" else [])]
INSTALLED_APPS = [
    *SHARED_APPS,
    *(app for app in TENANT_APPS if app not in SHARED_APPS),
    "django.contrib.staticfiles",
    "rest_framework",
]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_LIMIT_SET_CALLS = os.environ.get("LIMIT_SET_CALLS") == "1"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
# One connection serves all tenants of a process, and prepares each statement at once.
DATABASES: dict[str, Any] = {  # type: ignore[no-redef]
    "default": {
        **dj_database_url.parse(os.environ["DATABASE"], conn_max_age=600),
        "ENGINE": "django_tenants.postgresql_backend",
        "OPTIONS": {"prepare_threshold": 0},
    }
}
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware", *MIDDLEWARE]  # noqa: F405
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.projects.tenants.urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TOKENS_LOGIN_THROTTLE = TOKENS_ACCOUNT_THROTTLE = TOKENS_SITE_THROTTLE = ""
TOKENS_REFRESH_THROTTLE = ""
TOKENS_DENYLIST_MODE = os.environ.get("MODE", "strict")
TOKENS_DENYLIST_MAX_STALENESS = timedelta(seconds=float(os.environ.get("MAX_STALENESS", "1")))

import os
from typing import Any

from django.utils.functional import lazy

from tests.projects.bare.settings import *  # noqa: F403
from tests.projects.two_databases.current import current

INSTALLED_APPS = [*INSTALLED_APPS, "tokens.feed"]  # noqa: F405
TOKENS_ALGORITHM = "ES256"

# No table of the project is in "default".
DATABASES: dict[str, Any] = {  # type: ignore[no-redef]
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    **{
        alias: {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(os.environ["FOLDER"], f"{alias}.sqlite3"),
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 60},
            "ATOMIC_REQUESTS": alias == "two",
        }
        for alias in ("one", "two")
    },
}
DATABASE_ROUTERS = ["tests.projects.two_databases.router.TenantRouter"]
MIDDLEWARE = ["tests.projects.two_databases.router.choose_tenant", *MIDDLEWARE]  # noqa: F405
ALLOWED_HOSTS = ["one.example", "two.example"]
ROOT_URLCONF = "tests.projects.two_databases.urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TOKENS_ISSUER = lazy(lambda: f"https://{current()}.example", str)()
TOKENS_DENYLIST_MODE = os.environ["MODE"]

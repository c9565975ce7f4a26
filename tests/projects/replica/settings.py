import os

from tests.settings import *  # noqa: F403

DATABASES = {
    alias: {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / f"{alias}.sqlite3",  # noqa: F405
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
    for alias in ("default", "replica")
}
DATABASE_ROUTERS = os.environ["ROUTERS"].split(",")

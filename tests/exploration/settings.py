"""The settings of the tests, on a database that need not survive a power cut."""

from tests.settings import *  # noqa: F403

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # noqa: F405
else:
    # Each actor has a connection of its own, which the exploration knows by its process id.
    del DATABASES["default"]["OPTIONS"]["pool"]  # noqa: F405
    DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"  # noqa: F405
for name in ("tokens", "django"):
    LOGGING["loggers"][name]["level"] = "CRITICAL"  # noqa: F405

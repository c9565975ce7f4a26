"""This project's settings, for the server of ``benchmarks.guessing``: with the real password hash."""

from config.settings import *  # noqa: F403

TOKENS_TRUSTED_PROXIES = 1
for name in ("tokens", "django"):
    LOGGING["loggers"][name]["level"] = "ERROR"  # noqa: F405

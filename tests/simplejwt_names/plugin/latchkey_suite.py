"""
A pytest plugin for the test suites of other packages, which run in a process of their own.

It lets djangorestframework-simplejwt's suite configure Django with this project's apps in front, and
writes the outcome of each test to the file that LATCHKEY_OUTCOMES names. It is no part of the package
``tests``, because the suites have a package of that name.
"""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import LazySettings

APPS = ("tokens.simplejwt_names", "tokens")
BACKENDS = (
    "tokens.backends.SignInLimitBackend",
    "django.contrib.auth.backends.ModelBackend",
)
MIDDLEWARE = "tokens.api.middleware.ClientMiddleware"
SECRET = "a-token-secret-for-suites-of-others-that-is-long-enough-0123456789"

_configure = LazySettings.configure
_outcomes: dict[str, str] = {}


def configure(settings: LazySettings, **options: Any) -> None:
    options["INSTALLED_APPS"] = (*APPS, *options["INSTALLED_APPS"])
    options["MIDDLEWARE"] = (MIDDLEWARE, *options["MIDDLEWARE"])
    _configure(settings, **options, AUTHENTICATION_BACKENDS=BACKENDS, TOKENS_SECRET=SECRET)


LazySettings.configure = configure  # type: ignore[assignment]


def pytest_collection_finish() -> None:
    """Make sure that it is not the original that passes its own tests."""
    views = import_module("rest_framework_simplejwt.views")
    assert views.__name__ == "tokens.simplejwt_names.names.views", views.__name__


def pytest_runtest_logreport(report: Any) -> None:
    name = report.nodeid.rpartition("/")[2]
    if report.when == "call" or report.outcome != "passed":
        _outcomes[name] = report.outcome


def pytest_sessionfinish() -> None:
    Path(os.environ["LATCHKEY_OUTCOMES"]).write_text(json.dumps(_outcomes))

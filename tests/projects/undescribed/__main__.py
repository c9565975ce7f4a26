"""Run ``bare`` without the packages."""

import sys

for package in ("drf_spectacular", "ua_parser"):
    sys.modules[package] = None  # type: ignore[assignment]  # This is how Python bars an import.

import tests.projects.bare.__main__  # noqa: E402, F401
from tokens.client.devices import device_of  # noqa: E402

assert device_of("curl/8.5.0") == "curl"

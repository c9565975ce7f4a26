"""The packages that this one uses if they are there: each of them can be deleted."""

from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule

_PACKAGE = __package__.rpartition(".")[0]


def guard() -> Any:
    """Return ``connections.guard_websocket``, or None without that package."""
    if not module_has_submodule(import_module(_PACKAGE), "connections"):
        return None
    return import_module(f"{_PACKAGE}.connections").guard_websocket


def tickets() -> Any:
    """Return the module for tickets in handshakes, or None if the project has not installed the app."""
    if not apps.is_installed(f"{_PACKAGE}.tickets"):
        return None
    return import_module(f"{_PACKAGE}.tickets.handshakes")

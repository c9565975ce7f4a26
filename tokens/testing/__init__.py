"""
Helpers for the tests of projects that use the app. Nothing in the app imports this package.

    client      TokenClient: DRF's APIClient, signed in with tokens
    held        a session and the pair that its client holds: refresh, age, expire, revoke
    frozen      the clock of the app, frozen
    process     what this process remembers, and how to begin each test without it
    cases       a mixin for the test cases of unittest and Django
    fixtures    pytest's fixtures: ``pytest_plugins = ["tokens.testing.fixtures"]``

Only ``fixtures`` imports pytest. The names below are imported when they are first used, so that pytest
can load ``fixtures`` before Django's settings are configured. docs/testing.md teaches all of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cases import TokensTestMixin
    from .client import TokenClient
    from .frozen import FrozenClock, freeze
    from .held import HeldSession, sign_in
    from .process import ensure_signing_key, forget, fresh_process, write_notes

__all__ = [
    "FrozenClock",
    "HeldSession",
    "TokenClient",
    "TokensTestMixin",
    "ensure_signing_key",
    "forget",
    "freeze",
    "fresh_process",
    "sign_in",
    "write_notes",
]

_MODULES = {
    "FrozenClock": "frozen",
    "HeldSession": "held",
    "TokenClient": "client",
    "TokensTestMixin": "cases",
    "ensure_signing_key": "process",
    "forget": "process",
    "freeze": "frozen",
    "fresh_process": "process",
    "sign_in": "held",
    "write_notes": "process",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)

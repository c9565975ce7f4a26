"""What this process remembers of keys, tokens and denials. A test must not find another test's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib import import_module, util

from django.apps import apps
from django.db import connections, router

from .. import OPTIONAL, OPTIONAL_APPS, client, keyring, limits, sessions
from ..database.background import without_threads
from ..jose import Claims
from ..models import DeniedToken
from ..sessions import seen, verified
from ..sessions.authentication import Shortcut

_PACKAGE = __package__.rpartition(".")[0]


def forget() -> None:
    """Forget what this process remembers of keys, tokens and denials, as a new process does."""
    names = [f"{_PACKAGE}.{name}" for name in OPTIONAL]
    names += [
        name for name in map(f"{_PACKAGE}.{{}}".format, OPTIONAL_APPS) if apps.is_installed(name)
    ]
    optional = [import_module(name) for name in names if util.find_spec(name)]
    remember = [module for module in optional if hasattr(module, "forget")]
    for module in (client, keyring, limits, seen, verified, *remember):
        module.forget()


@contextmanager
def fresh_process() -> Iterator[None]:
    """
    Run the block, normally one test, like a new process that sees the test's transaction.

    - Nothing is remembered when the block begins and after it has ended.
    - That a token was seen in use is written by ``write_notes``, not by a thread, which would neither
      see the transaction of the test nor let the test database be deleted.
    - In snapshot mode, a request within a transaction is decided by the query. The copy of the
      denylist takes what is committed, and a transaction that is rolled back commits nothing.
    """
    forget()
    with without_threads(), _query_within_transactions():
        try:
            yield
        finally:
            forget()


def write_notes() -> None:
    """Write which tokens were seen in use, as the app does within about a second."""
    seen.flush()


def ensure_signing_key() -> None:
    """
    Create a signing key if there is none, as ``migrate`` does.

    A test with ``serialized_rollback`` or ``available_apps`` leaves the database without one.
    """
    keyring.ensure()


@contextmanager
def _query_within_transactions() -> Iterator[None]:
    former = sessions.set_shortcut(None)
    if former is not None:
        sessions.set_shortcut(partial(_outside_transactions, former))
    try:
        yield
    finally:
        sessions.set_shortcut(former)


def _outside_transactions(
    shortcut: Shortcut, claims: Claims, *, now: datetime, wait: bool = True
) -> bool:
    if not wait:
        return False  # The transaction of a test belongs to another thread than the event loop.
    is_within = connections[router.db_for_write(DeniedToken)].in_atomic_block
    return not is_within and shortcut(claims, now=now)

"""Transactions that are rolled back, and what may happen within them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connection, transaction

from tokens import sessions
from tokens.errors import TokenError
from tokens.models import EndReason
from tokens.sessions import TokenPair


class Failure(Exception):
    """What makes the caller's transaction fail."""


def savepoint() -> str:
    """Make a savepoint by hand, by the name that this version of Django has for the function."""
    create: Callable[[], str] = getattr(transaction, "savepoint_create", transaction.savepoint)
    return create()


def end(pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.LOGOUT)


def end_all(pair: TokenPair) -> None:
    sessions.end_all(pair.session.user, reason=EndReason.REVOKED)


def revoke_refresh_token(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_refresh)


def revoke_access_token(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_access)


TAKES_BACK = [end, end_all, revoke_refresh_token, revoke_access_token]


def fails(*_: Any) -> None:
    raise Failure


def fails_in_the_database(*_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")


def marks_for_rollback(*_: Any) -> None:
    """As DRF does with a transaction of the request when a view raises."""
    transaction.set_rollback(True)


@contextmanager
def rolled_back(fail: Callable[..., None] = fails) -> Iterator[None]:
    """Run the block in a transaction that is rolled back at its end."""
    try:
        with transaction.atomic():
            yield
            fail()
    except (Failure, DatabaseError):
        pass


def is_refused(pair: TokenPair) -> bool:
    try:
        sessions.authenticate(pair.raw_access)
    except TokenError:
        return True
    return False

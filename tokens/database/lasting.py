"""
Work on the database that lasts even if the caller's transaction is rolled back.

A view under ATOMIC_REQUESTS, or a command, may end a session within a transaction that is rolled
back later. ``do`` then does the work again, right after the rollback: in the rest of the transaction if
a savepoint was rolled back, and by itself if the whole transaction was. So a session stays ended before
the answer is sent.

Django has a hook for commits, but none for rollbacks. So this module wraps four methods of the
connection, through which Django's ``atomic`` does both.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

from django.db import DatabaseError, connections, router
from django.db.models import Model

from . import places

Result = TypeVar("Result")
Work = Callable[[], Any]

_NAME = "_tokens_lasting_work"


def do(
    work: Callable[[], Result], model: type[Model], *, again: Callable[[], Any] | None = None
) -> Result:
    """
    Return ``work()``, and call ``again`` (``work`` itself by default) after a rollback undoes it.

    ``work`` writes to the database of ``model``. If it raises, it is not done again. The rollback may
    remove the rows that it uses. Raises RuntimeError as ``require`` does.
    """
    require(model)
    connection = connections[router.db_for_write(model)]
    result = work()
    if _is_in_transaction(connection):
        record: _Record | None = getattr(connection, _NAME, None)
        if record is None:
            record = _Record(connection)
            setattr(connection, _NAME, record)
        record.add(_within(places.place_of(model), again or work))
    return result


def _within(place: places.Place, work: Work) -> Work:
    """Return the work, bound to the place where it began: another tenant may be current later."""

    def there() -> Any:
        with places.within(place):
            return work()

    return there


def require(model: type[Model]) -> None:
    """
    Raise RuntimeError if work that is done now could not last.

    This is so in a transaction that the caller commits by hand: Django does not know when it ends.
    """
    connection = connections[router.db_for_write(model)]
    if connection.in_atomic_block:
        by_hand = not connection.commit_on_exit
    elif connection.connection is None:
        by_hand = not connection.settings_dict["AUTOCOMMIT"]
    else:
        by_hand = not connection.autocommit
    if by_hand:
        raise RuntimeError(
            "Autocommit is off, so a rollback would undo what is done to sessions and limits. "
            "Nothing was done. Turn autocommit on, and use django.db.transaction.atomic()."
        )


def require_no_transaction(model: type[Model]) -> None:
    """Raise RuntimeError in a transaction of the caller, for work that cannot be done again."""
    require(model)
    if _is_in_transaction(connections[router.db_for_write(model)]):
        raise RuntimeError(
            "This cannot be done within a transaction, whose rollback would undo it. Nothing was "
            "done. Call it outside of atomic(), in a view with "
            "django.db.transaction.non_atomic_requests."
        )


def _is_in_transaction(connection: Any) -> bool:
    """Return whether a transaction is open, apart from those of a TestCase, which never commit."""
    return any(not block._from_testcase for block in connection.atomic_blocks)


class _Record:
    """The work that one connection's transaction can still undo, in the order in which it was done."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._done: list[Work | str] = []  # with the savepoints in between
        self._undone: list[Work] = []
        self._in_testcase = False
        self._savepoints_of_testcase: set[str] = set()
        self._wrap("savepoint", self._after_savepoint)
        self._wrap("savepoint_rollback", self._after_savepoint_rollback)
        self._wrap("commit", self._after_commit)
        self._wrap("set_autocommit", self._after_set_autocommit)

    def add(self, work: Work) -> None:
        first, *inner = self._connection.atomic_blocks
        self._in_testcase = first._from_testcase
        self._savepoints_of_testcase = {
            sid
            for block, sid in zip(inner, self._connection.savepoint_ids, strict=True)
            if block._from_testcase
        }
        self._done.append(work)

    def _wrap(self, name: str, after: Callable[..., None]) -> None:
        method = getattr(self._connection, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            after(result, *args)
            return result

        setattr(self._connection, name, wrapped)

    def _after_savepoint(self, sid: str) -> None:
        if self._done:
            self._done.append(sid)

    def _after_savepoint_rollback(self, _: None, sid: str) -> None:
        # A savepoint that is not in the list was made before all work in it.
        place = self._done.index(sid) + 1 if sid in self._done else 0
        undone = [work for work in self._done[place:] if callable(work)]
        del self._done[place:]
        if sid in self._savepoints_of_testcase:
            return
        for position, work in enumerate(undone):
            try:
                work()
            except DatabaseError:
                # The transaction is broken, so all of it will be rolled back.
                self._undone += undone[position:]
                raise
            if _is_in_transaction(self._connection):
                self.add(work)

    def _after_commit(self, _: None) -> None:
        self._done.clear()

    def _after_set_autocommit(self, _: None, autocommit: bool, *args: Any) -> None:
        if not autocommit:
            return
        undone = [work for work in self._done if callable(work)] + self._undone
        self._done, self._undone = [], []
        if self._in_testcase:
            return
        # Each is tried, even if another one fails. An error is raised at the end.
        with ExitStack() as stack:
            for work in reversed(undone):
                stack.callback(work)

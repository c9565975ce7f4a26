"""
Where an optional package gives each session an index, by which other services look up its status.

The index is made when a session's first access token is, and kept in its row, ``status_index``: no later
token costs a query. What the column holds, only the package knows. Without one it stays empty.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from ..models import Session


class Statuses(Protocol):
    """
    What the package does.

    ``claims`` returns what every access token of the session has, and sets ``session.status_index`` if
    it is empty. ``after_move`` returns what the column holds after a move to new tokens, when all
    earlier ones are refused; ``refuse_former`` is called with the session as it was, in the transaction
    that moves it. ``refuse_token`` is called before an access token of this generation is denied.
    """

    def claims(
        self, session: Session, /, *, until: datetime, now: datetime
    ) -> Mapping[str, Any]: ...

    def after_move(self, session: Session, /, *, now: datetime) -> str: ...

    def refuse_former(self, session: Session, /, *, now: datetime) -> None: ...

    def refuse_token(self, session: Session, generation: int, /, *, now: datetime) -> None: ...


_statuses: Statuses | None = None


def set_statuses(statuses: Statuses | None) -> Statuses | None:
    """Let ``statuses`` give each session an index from now on, and return the former one."""
    global _statuses
    former, _statuses = _statuses, statuses
    return former


def claims(session: Session, *, until: datetime, now: datetime) -> Mapping[str, Any]:
    return _statuses.claims(session, until=until, now=now) if _statuses else {}


def after_move(session: Session, *, now: datetime) -> str:
    return _statuses.after_move(session, now=now) if _statuses else ""


def refuse_former(session: Session, *, now: datetime) -> None:
    if _statuses:
        _statuses.refuse_former(session, now=now)


def refuse_token(session: Session, generation: int, *, now: datetime) -> None:
    if _statuses:
        _statuses.refuse_token(session, generation, now=now)

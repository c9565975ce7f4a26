"""
Snapshot mode: accept an access token without a query, by this process's copy of the denylist.

Session and user are loaded by strict mode's query when more than the user's primary key is needed.
A view that uses more of the user therefore gets what strict mode promises.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..conf import conf
from ..denylist import snapshot
from ..jose import Claims
from ..models import Session
from .eligibility import needs_user


def accepts(claims: Claims, *, now: datetime) -> bool:
    """Return whether this process can accept the token by itself. False leaves it to the query."""
    if conf.TOKENS_DENYLIST_MODE != "snapshot":
        return False
    if needs_user():
        return False
    # Denials are held for the current lifetime of access tokens. A token that was issued with a
    # longer lifetime is looked up.
    if claims.exp - claims.iat > conf.TOKENS_ACCESS_LIFETIME.total_seconds():
        return False
    return snapshot.is_known_good(ids_of(claims), now=now)


def ids_of(claims: Claims) -> tuple[str, ...]:
    """Return the ids whose denial refuses the token, and those of ``denylist.ask_about``."""
    return (*claims.ids, claims.sid.hex, claims.sub)


class StrictLookup:
    """Strict mode's query, run once, when the session or the user is first used."""

    __slots__ = ("_load", "_session")

    def __init__(self, load: Callable[[], Session]) -> None:
        self._load = load
        self._session: Session | None = None

    def session(self) -> Session:
        """Return the session. Raises TokenError if the query refuses the token."""
        if self._session is None:
            self._session = self._load()
        return self._session

    def user(self) -> Any:
        return self.session().user

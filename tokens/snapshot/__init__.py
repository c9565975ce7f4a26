"""
Snapshot mode: accept an access token without a query, by this process's copy of the denylist.

    copy            the copy of one place, such as a tenant, and how it proves that it follows the database
    reader          the thread that brings copies up to date for async code

Session and user are loaded by strict mode's query when more than the user's primary key is needed.
A view that uses more of the user therefore gets what strict mode promises.

This package can be deleted: then every project is in strict mode. No other package imports it;
``set_up`` registers it. May import sessions and what is below it.
"""

from collections.abc import Sequence
from datetime import datetime

from .. import denylist, sessions
from ..conf import conf
from ..database.places import PerPlace
from ..denylist import Entry
from ..jose import Claims
from ..models import DeniedToken
from .copy import LOOKED_UP_AFTER, Copy

__all__ = ["accepts", "forget", "ids_of", "set_up"]

_LOOKED_UP_AFTER = LOOKED_UP_AFTER.total_seconds()
_copies = PerPlace(Copy, drop=Copy.forget)


def forget() -> None:
    """Drop this process's copies, so that the next use reads the table."""
    _copies.forget()


def set_up() -> None:
    """Let sessions ask this package for each access token, and denylist tell it of each denial."""
    sessions.set_shortcut(accepts)
    denylist.add_follower(follow)
    denylist.notify_others_when(lambda: conf.TOKENS_DENYLIST_MODE == "snapshot")


def accepts(claims: Claims, *, now: datetime, wait: bool = True) -> bool:
    """
    Return whether this process can accept the token by itself. False leaves it to the query.

    With ``wait`` False a thread reads the table, and the copy answers meanwhile.
    """
    if conf.TOKENS_DENYLIST_MODE != "snapshot":
        return False
    if sessions.needs_user():
        return False
    if now.timestamp() - claims.iat > _LOOKED_UP_AFTER:
        return False
    copy = _copies.of(DeniedToken)
    return copy.is_known_good(
        ids_of(claims), subject=claims.sub, issued_at=claims.iat, now=now, wait=wait
    )


def ids_of(claims: Claims) -> tuple[str, ...]:
    """Return the ids whose denial refuses the token, and those of ``denylist.ask_about``."""
    return (*claims.ids, claims.sid.hex, claims.sub)


def follow(entries: Sequence[Entry]) -> None:
    """Take denials of this process that have been committed."""
    if conf.TOKENS_DENYLIST_MODE == "snapshot":
        _copies.of(DeniedToken).add(entries)

"""
Convert a row of the denylist to entries of the feed.

A verifier knows the claims of a token and no row of a session. So what depends on the session's row is
expressed by claims: the ids of former tokens, or a cut-off for their user.
"""

from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from .. import denylist
from ..conf import conf
from ..jose import TokenType, jti_of
from ..models import EVERYONE, DeniedToken
from .documents import CUT_OFF, Denial

Kind = DeniedToken.Kind

# If a session has more former tokens than this, a cut-off for their user refuses them.
MOST_FORMER_TOKENS = 100
# A version of ``denylist.ask_about`` is a generation of at most nine digits, or an instant in
# microseconds.
_FIRST_INSTANT = 10**9
_OF_USER = f"{EVERYONE}:"


# The columns of the denylist that a reading takes.
COLUMNS = ("pk", "nonce", "until", "kind", "value", "user_id", "issued_before")
# A plain tuple: with tens of thousands of rows, a class would double the time of a reading.
Row = tuple[int, int, datetime, str, str, Any, datetime | None]


def denials_of(row: Row) -> list[tuple[Denial, int]]:
    """Return what the row denies, each with the second after which it does not matter."""
    _, _, until, kind, value, user_id, issued_before = row
    if kind == Kind.CUT_OFF:
        assert issued_before is not None  # noqa: S101  # The database checks it.
        return _cut_off(value, user_id, issued_before, until=until)
    if kind == Kind.ASK:
        return _asked_about(value, user_id, until=until)
    return [(Denial(kind, value), ceil(until.timestamp()))]


def _cut_off(
    value: str, user_id: Any, issued_before: datetime, *, until: datetime
) -> list[tuple[Denial, int]]:
    if value == EVERYONE:
        sub = None
    elif value.startswith(_OF_USER):
        sub = value.removeprefix(_OF_USER)
    elif user_id is not None:
        sub = str(user_id)
    else:
        return []  # The user was deleted since, which denied each session.
    # A refused session gets no more tokens. Those that it has were issued before.
    return [_before(sub, issued_before, last=until)]


def _asked_about(value: str, user_id: Any, *, until: datetime) -> list[tuple[Denial, int]]:
    key, version = denylist.key_and_version(value)
    # When it was committed, by the clock of a host that may be ahead.
    asked_at = until - denylist.longest_accepted() + conf.TOKENS_LEEWAY
    if version >= _FIRST_INSTANT:
        return [_before(key, asked_at, last=until)]  # The end of very many sessions of a user.
    # A password change of a session that continues from this generation on.
    former = range(max(0, version - _live_generations()), version)
    if len(former) > MOST_FORMER_TOKENS:
        return [] if user_id is None else [_before(str(user_id), asked_at, last=until)]
    sid, second = UUID(hex=key), ceil(until.timestamp())
    jtis = [jti_of(sid, generation, TokenType.ACCESS) for generation in former]
    return [(Denial(Kind.TOKEN.value, jti), second) for jti in jtis]


def has_unnamed_tokens() -> bool:
    """Return whether a session can have more former tokens than the feed names."""
    return _live_generations() > MOST_FORMER_TOKENS


def _live_generations() -> int:
    """Return how many generations of one session can have a token that has not expired."""
    # A session rotates at most once per grace. Two more, for the generations at both ends.
    apart = conf.TOKENS_REFRESH_GRACE
    if apart <= timedelta(0):
        return MOST_FORMER_TOKENS + 1
    return ceil(denylist.longest_accepted() / apart) + 2


def _before(sub: str | None, instant: datetime, *, last: datetime) -> tuple[Denial, int]:
    before = int(instant.timestamp())
    until = before + 1 + denylist.longest_accepted().total_seconds()
    return Denial(CUT_OFF, sub, before), ceil(min(until, last.timestamp()))

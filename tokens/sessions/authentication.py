"""
How a raw token becomes a user: read it, check its claims, judge it by the database (``decision``).

Every entry point passes through ``look_up``. In strict mode it runs one query for each token.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Protocol, cast

from asgiref.sync import sync_to_async

from .. import keyring
from ..conf import conf
from ..database.places import Place, differs_by_thread, place_of, within
from ..errors import WithoutKeyID
from ..jose import Claims, TokenType, check, generation_of
from ..models import Session
from ..secret import RawToken, Secret, hide
from . import query, seen, verified
from .audience import audience_of
from .decision import decide
from .lazy_user import LazyUser, StrictLookup
from .query import Decisive
from .verified import FindKey


class Shortcut(Protocol):
    """
    Returns whether an access token can be accepted without a query.

    With ``wait`` False it neither runs a query itself nor waits for another thread that does.
    """

    def __call__(self, claims: Claims, /, *, now: datetime, wait: bool = True) -> bool: ...


# Called with the claims of a token that this site has signed. It may raise, for a session that uses
# its tokens too often.
Admit = Callable[[Claims], None]


class Adopter(Protocol):
    """
    Returns claims for a token that another package has signed, which has no ``kid``, or None.

    The claims are those of a session that exists; this module decides about it as about any other.
    ``type`` None stands for both types. Raises TokenError.
    """

    def __call__(
        self, raw_token: Secret[str], /, *, type: TokenType | None, now: datetime
    ) -> Claims | None: ...


# Makes a coroutine function of a function that runs a query, as ``sync_to_async`` does.
InThread = Callable[[Callable[..., Any]], Callable[..., Coroutine[Any, Any, Any]]]


@cache
def in_sync_thread(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return ``sync_to_async(function)``, made once, because it inspects the function each time."""
    return sync_to_async(function)


_shortcut: Shortcut | None = None
_adopter: Adopter | None = None


def set_shortcut(shortcut: Shortcut | None) -> Shortcut | None:
    """
    Ask ``shortcut`` for each access token before the query, and return the former one.

    False leaves the token to the query.
    """
    global _shortcut
    former, _shortcut = _shortcut, shortcut
    return former


def set_adopter(adopter: Adopter | None) -> None:
    """Offer each token without ``kid`` to ``adopter`` before it is refused."""
    global _adopter
    _adopter = adopter


@dataclass(frozen=True, slots=True)
class Authenticated:
    """What a token stands for: its claims, its session and the user."""

    claims: Claims
    user: Any
    _load_session: Callable[[], Session]

    @property
    def session(self) -> Session:
        """
        The session. Raises TokenError if it is loaded only now, and the query refuses it.

        The session of an access token is read without the columns that do not judge it; Django
        loads each of them on first access.
        """
        return self._load_session()

    async def auser(self) -> Any:
        """Return the user, loaded in a thread if it is not loaded yet. Raises TokenError."""
        if type(self.user) is LazyUser:
            await self.user.aload()
        return self.user

    async def asession(self) -> Session:
        """Return ``session``, loaded in a thread if it may not be loaded yet. Raises TokenError."""
        if type(self.user) is LazyUser:
            return await sync_to_async(self._load_session)()
        return self._load_session()


def read_claims(
    raw_token: RawToken,
    *,
    type: TokenType | None = None,
    now: datetime,
    verify_exp: bool = True,
    find_key: FindKey = keyring.verification_key,
) -> Claims:
    """
    Return the claims of a token that one of our keys signed and whose claims are good at ``now``.

    The database is not asked whether the token is revoked. ``type`` None accepts both types;
    ``verify_exp`` False accepts an expired token, for staff. ``find_key`` is as for
    ``verified.read``. Raises TokenError.
    """
    raw_token = hide(raw_token)
    claims = verified.read(raw_token, now=now, find_key=find_key)
    check(
        claims,
        issuer=conf.TOKENS_ISSUER,
        audience=audience_of(claims.type),
        now=now,
        leeway=conf.TOKENS_LEEWAY,
        type=type,
        verify_exp=verify_exp,
    )
    return claims


def look_up(
    raw_token: Secret[str], *, type: TokenType | None, now: datetime, admit: Admit | None = None
) -> Authenticated:
    """
    Return what a token that is good at ``now`` stands for, by one query.

    ``type`` None accepts both types. ``admit`` is called with the claims before the query. Raises
    TokenError, and what ``admit`` raises.
    """
    is_adopted = False
    try:
        claims = read_claims(raw_token, type=type, now=now)
    except WithoutKeyID:
        adopted = _adopter(raw_token, type=type, now=now) if _adopter else None
        if adopted is None:
            raise
        claims, is_adopted = adopted, True
    if admit:
        admit(claims)
    if type is TokenType.ACCESS and not is_adopted and _shortcut and _shortcut(claims, now=now):
        return _accepted(claims, now=now)
    return _judged(claims, now=now)


async def alook_up(
    raw_access: Secret[str], *, now: datetime, in_thread: InThread = in_sync_thread
) -> Authenticated:
    """
    Return what ``look_up`` returns for an access token, without blocking the event loop.

    A token that is refused by its signature or claims, and one that the shortcut accepts, are
    answered at once. Any other is judged in a thread, which runs the query.
    """
    # A connection with a tenant belongs to a thread, so only that thread knows the place.
    if not differs_by_thread(Session):
        try:
            claims = read_claims(
                raw_access, type=TokenType.ACCESS, now=now, find_key=keyring.key_in_memory
            )
        except keyring.NeedsQuery:
            pass
        except WithoutKeyID:
            if _adopter is None:
                raise
        else:
            if _shortcut and _shortcut(claims, now=now, wait=False):
                return _accepted(claims, now=now)
            return cast("Authenticated", await in_thread(_judged)(claims, now=now))
    found = await in_thread(look_up)(raw_access, type=TokenType.ACCESS, now=now)
    return cast("Authenticated", found)


def refuse_junk(raw_token: Secret[str], *, now: datetime) -> None:
    """
    Raise TokenError for a token that none of our keys signed, without a query.

    It accepts a token if only a query could tell.
    """
    if differs_by_thread(Session):
        return
    try:
        verified.read(raw_token, now=now, find_key=keyring.key_in_memory)
    except keyring.NeedsQuery:
        return
    except WithoutKeyID:
        if _adopter is None:
            raise


def _accepted(claims: Claims, *, now: datetime) -> Authenticated:
    _note_seen(claims)
    later = StrictLookup(partial(_judge_within, place_of(Session), claims, now=now))
    return Authenticated(claims, LazyUser(claims.sub, later.user), later.session)


def _judged(claims: Claims, *, now: datetime) -> Authenticated:
    row = _find_and_decide(claims, now=now)
    return Authenticated(claims, row.user, partial(_session_of, row))


def _judge_within(place: Place, claims: Claims, *, now: datetime) -> Session:
    """Do what ``judge`` does, for the tenant of the request, whichever the current one is."""
    with within(place):
        return judge(claims, now=now)


def judge(claims: Claims, *, now: datetime) -> Session:
    """Return the session with its user if the denylist and both of them accept the claims."""
    return _session_of(_find_and_decide(claims, now=now))


def _session_of(row: Decisive | Session) -> Session:
    return row.session if isinstance(row, Decisive) else row


def _find_and_decide(claims: Claims, *, now: datetime) -> Decisive | Session:
    row = decide(claims, query.find(claims), now=now)
    if claims.type is TokenType.ACCESS:
        _note_seen(claims, row)
    return row


def _note_seen(claims: Claims, session: Decisive | Session | None = None) -> None:
    """Note that an access token of its generation was used, unless the row says so already."""
    if session is None or not session.seen:
        seen.note(claims.sid, generation_of(claims))

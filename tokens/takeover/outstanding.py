"""
Let a token of djangorestframework-simplejwt stand for a session of this app.

``adopt`` is offered each token without a ``kid``. It reads the token, makes sure that there is a
session for it, and returns the claims that a token of ours would have; ``sessions`` decides the rest.

A token that was not imported is adopted when it is first shown. Its user must be as they were when
the users were imported: that import gives each active user one session for all tokens that nothing is
known about. A new password, a deactivation or a revocation ends it as it ends every session, and
then no such token of the user is adopted.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from .. import clock, sessions, signals
from ..client import Client
from ..conf import conf
from ..database import lasting, places
from ..errors import BadSignature, Denied, KeyRingError, TokenError, UserGone, WrongClaims
from ..jose import Claims, TokenType, jti_of
from ..models import Session, SessionKind
from ..secret import RawToken, Secret, hide
from ..sessions import TokenPair
from . import reading, their_settings
from .models import AdoptedToken, BlacklistedToken, OutstandingToken, Switch
from .reading import TheirToken
from .their_settings import CannotTakeOver, TheirSettings

# The ``kid`` of these tokens' claims and sessions. Keys of the key ring have longer names.
KID = "simplejwt"
# The user agent of a session for tokens that nothing is known about, as lists of sessions show it.
UNSHOWN = "djangorestframework-simplejwt: tokens not shown yet"
# How far the note of a token's last use may be behind.
NOTE_EVERY = timedelta(hours=1)


def adopt(raw_token: Secret[str], *, type: TokenType | None, now: datetime) -> Claims | None:
    """
    Return the claims of the session for a token that is good at ``now``; None if none is accepted.

    Raises TokenError for a token that the other package would refuse, or that this one does.
    """
    switch = Switch.objects.first()
    if switch is None or not switch.is_open(now):
        return None
    try:
        theirs = their_settings.read()
        token = reading.read(
            raw_token, theirs=theirs, public_key=switch.public_key, type=type, now=now
        )
    except (CannotTakeOver, KeyRingError) as error:
        # Checks report it. The token cannot be told from junk.
        raise BadSignature(f"SIMPLE_JWT: {error}") from None
    if token.issued_at > switch.cut_over_at:
        raise WrongClaims("The token was issued after the cut-over.")
    _refuse_blacklisted(token, switch)
    known = AdoptedToken.objects.filter(pk=token.sid).first()
    if known is None or theirs.checks_password:
        user = reading.find_user(token, theirs)
        reading.check_password(token, user, theirs)
        known = known or _begin(token, user, theirs, switch, now=now)
    _note_use(known, now=now)
    return claims_of(token, known.user_id)


def adopt_refresh(
    raw_refresh: RawToken, *, client: Client | None = None, now: datetime | None = None
) -> TokenPair:
    """
    Return the pair of the session that a refresh token of the other package stands for.

    The same as ``sessions.refresh``, for code that knows where its token comes from. Raises TokenError.
    """
    return sessions.refresh(raw_refresh, client=client, now=now)


def read_claims(raw_token: RawToken, *, now: datetime | None = None) -> TheirToken:
    """Return a token of the other package whose signature and claims are good. Raises TokenError."""
    switch = Switch.objects.first()
    return reading.read(
        hide(raw_token),
        theirs=their_settings.read(),
        public_key=switch.public_key if switch else "",
        now=now or clock.now(),
    )


def claims_of(token: TheirToken, user_id: Any) -> Claims:
    """Return the claims that the token would have if this app had issued it."""
    is_refresh = token.type is TokenType.REFRESH
    return Claims(
        type=token.type,
        kid=KID,
        iss=conf.TOKENS_ISSUER,
        aud=sessions.audience_of(token.type),
        sub=str(user_id),
        iat=int(token.issued_at.timestamp()),
        exp=int(token.expires_at.timestamp()),
        jti=jti_of(token.sid, 0, token.type),
        sid=token.sid,
        generation=0 if is_refresh else None,
        extra=token.extra,
    )


def session_of(token: TheirToken, user: Any) -> Session:
    """Return the session of a token, which is not stored yet."""
    is_refresh = token.type is TokenType.REFRESH
    limit = token.issued_at + conf.TOKENS_SESSION_LIFETIME
    return Session(
        id=token.sid,
        user=user,
        user_id=user._meta.pk.to_python(user.pk),
        kind=SessionKind.PAIR if is_refresh else SessionKind.ACCESS,
        kid=KID,
        auth_hash=user.get_session_auth_hash(),
        claims=dict(token.extra),
        # Before each cut-off that was made after the sign-in.
        started_at=token.issued_at,
        refreshed_at=token.issued_at,
        idle_until=token.expires_at,
        expires_at=max(limit, token.expires_at) if is_refresh else token.expires_at,
    )


def session_of_unshown(user: Any, switch: Switch, *, now: datetime) -> Session:
    """Return the session for the tokens of a user that nothing is known about, not stored yet."""
    return Session(
        id=reading.sid_of_unshown(user),
        user=user,
        user_id=user._meta.pk.to_python(user.pk),
        # It displaces no session of a user who has many.
        kind=SessionKind.ACCESS,
        kid=KID,
        auth_hash=user.get_session_auth_hash(),
        started_at=now,
        refreshed_at=now,
        idle_until=switch.closes_at,
        expires_at=switch.closes_at,
        user_agent=UNSHOWN,
    )


def _refuse_blacklisted(token: TheirToken, switch: Switch) -> None:
    if not switch.has_blacklist or token.type is not TokenType.REFRESH:
        return
    outstanding = OutstandingToken.objects.filter(jti=token.jti).values("pk")
    if BlacklistedToken.objects.filter(token_id__in=outstanding).exists():
        raise Denied("The token is in the table of blacklisted tokens.")


def _begin(
    token: TheirToken, user: Any, theirs: TheirSettings, switch: Switch, *, now: datetime
) -> AdoptedToken:
    """
    Begin the session of a token that is shown for the first time. Raises TokenError.

    The session lasts if a transaction of the caller is rolled back: what took it back in there is done
    again, and needs the row.
    """

    def work() -> AdoptedToken:
        with places.atomic(Session):
            # Of several callers, the first one begins the session.
            stored = sessions.lock(user)
            sessions.require_eligible(stored)
            reading.check_password(token, stored, theirs)
            if known := AdoptedToken.objects.filter(pk=token.sid).first():
                return known
            _require_unshown(token, stored, switch, now=now)
            _insert([session_of(token, stored)])
            known = AdoptedToken(
                sid=token.sid, user=stored, is_refresh=token.type is TokenType.REFRESH, used_at=None
            )
            # An import may insert both rows meanwhile: it locks no user.
            AdoptedToken.objects.bulk_create([known], ignore_conflicts=True)
        signals.log("token_adopted", sid=token.sid, user=stored.pk)
        return known

    def again() -> None:
        with suppress(TokenError):  # The rollback may have undone what let the user in.
            work()

    return lasting.do(work, Session, again=again)


def _require_unshown(token: TheirToken, user: Any, switch: Switch, *, now: datetime) -> None:
    """Raise TokenError unless the user is as they were when the users were imported."""
    sid = reading.sid_of_unshown(user)
    if not Session.objects.filter(pk=sid).exists():
        if switch.may_have_been_pruned(now):
            raise UserGone(f"User {user.pk} may have had a session that was ended and pruned.")
        if switch.users_known_at and token.issued_at < switch.users_known_at:
            # Then the user was not active, or did not exist.
            raise UserGone(f"User {user.pk} was not active when the users were imported.")
        _insert([session_of_unshown(user, switch, now=token.issued_at)])
    of_user = Claims(
        type=TokenType.REFRESH,
        kid=KID,
        iss="",
        aud="",
        sub=str(user.pk),
        iat=0,
        exp=0,
        jti=jti_of(sid, 0, TokenType.REFRESH),
        sid=sid,
        generation=0,
    )
    sessions.judge(of_user, now=now)


def _insert(rows: list[Session]) -> None:
    # A row that another caller has inserted meanwhile is the same.
    Session.objects.bulk_create(rows, ignore_conflicts=True)


def _note_use(known: AdoptedToken, *, now: datetime) -> None:
    if known.used_at is None or now - known.used_at > NOTE_EVERY:
        AdoptedToken.objects.filter(pk=known.pk).update(used_at=now)

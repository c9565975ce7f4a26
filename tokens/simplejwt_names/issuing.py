"""
How the token classes of ``names.tokens`` start, refresh and end sessions.

A token with a user belongs to a session. One without a user is a statement: it has no session, admits
no user, and only its classes read it. It is signed with the key of refresh tokens, which no other
service can verify, and can be denied by its id.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.utils.translation import gettext_lazy as _

from .. import clock, denylist, errors, keyring, sessions
from ..conf import conf
from ..database import lasting
from ..jose import REGISTERED_CLAIMS, Claims, TokenType, encode, jti_of, parse_jti
from ..models import DeniedToken, EndReason, Session, SessionKind
from ..secret import Secret
from ..sessions import Authenticated, TokenPair, pairs
from ..sessions.authentication import Admit
from .names.exceptions import ExpiredTokenError, TokenError
from .names.settings import api_settings

STATEMENT_SUB = "-"  # No user. A statement is told by its claims too: a refresh token has none.
# Returns what a raw token stands for. Raises TokenError of this app.
Look = Callable[[Secret[str]], Authenticated]

# What a refresh token does not pass on to its access tokens.
NOT_COPIED: tuple[str, ...] = tuple(sorted(REGISTERED_CLAIMS))
A_MOMENT = timedelta(microseconds=1)  # 0 would stand for the default.

# The view's limit on how often a session uses its tokens.
admit: ContextVar[Admit | None] = ContextVar("tokens_names_admit", default=None)


def type_claim() -> str:
    return api_settings.TOKEN_TYPE_CLAIM or "token_type"


def new_jti(type: TokenType) -> str:
    return jti_of(uuid4(), 0, type)


def sid_in(jti: Any) -> UUID | None:
    parsed = parse_jti(jti) if isinstance(jti, str) else None
    return parsed[0] if parsed else None


@contextmanager
def refusals() -> Iterator[None]:
    """Raise simplejwt's TokenError, in its words, for the TokenError of this app."""
    try:
        yield
    except errors.Expired as error:
        raise ExpiredTokenError(_("Token is expired")) from error
    except errors.WrongType as error:
        raise TokenError(_("Token has wrong type")) from error
    except errors.PasswordChanged as error:
        raise TokenError(_("The user's password has been changed.")) from error
    except errors.UserRefused as error:
        raise TokenError(_("No active account found for the given token.")) from error
    except (errors.Denied, errors.SessionEnded) as error:
        raise TokenError(_("Token is blacklisted")) from error
    except errors.TokenError as error:
        raise TokenError(_("Token is invalid")) from error


# Reading


def read(
    raw_token: Secret[str], *, verify: bool, look: Look
) -> tuple[Claims, Authenticated | None]:
    """
    Return the claims of a token, and what it stands for if that had to be asked.

    ``verify`` False accepts an expired one. A token that was not signed here, such as one of simplejwt
    itself while it is taken over, is left to ``look``: what the class does with a token.
    """
    with refusals():
        try:
            return sessions.read_claims(raw_token, now=clock.now(), verify_exp=verify), None
        except errors.Malformed:
            if not verify:
                raise
        found = look(raw_token)
        return found.claims, found


def is_statement(claims: Claims) -> bool:
    return claims.sub == STATEMENT_SUB and bool(claims.extra) and claims.type is TokenType.REFRESH


def require_statement(claims: Claims) -> None:
    """Raise TokenError for a token that has a session, which was not asked whether it is good."""
    if not is_statement(claims):
        raise TokenError(_("Token is invalid"))


def payload_of(claims: Claims) -> dict[str, Any]:
    """Return the claims as simplejwt has them."""
    members = claims.as_json()
    if is_statement(claims):
        return {
            name: value
            for name, value in members.items()
            if name not in REGISTERED_CLAIMS or name in {"exp", "iat", "jti"}
        }
    is_refresh = claims.type is TokenType.REFRESH
    return {type_claim(): "refresh" if is_refresh else "access", **members}


def judge(raw_token: Secret[str], claims: Claims, *, look: Look) -> Authenticated | None:
    """Return the session and user of a token that both accept now, or None for a statement."""
    with refusals():
        if is_statement(claims):
            _require_undenied(claims)
            return None
        return look(raw_token)


def _require_undenied(claims: Claims) -> None:
    issued_at = datetime.fromtimestamp(claims.iat, UTC)
    if denylist.is_denied(claims) or denylist.find_cut_offs(claims.sub, begun_at=issued_at):
        raise errors.Denied(f"Token {claims.jti} or its key is denied.")


def completed(payload: Mapping[str, Any], claims: Claims, found: Authenticated) -> dict[str, Any]:
    """Return the payload with what the session knows: a refresh token has none of its claims itself."""
    known: dict[str, Any] = {}
    if claims.type is TokenType.REFRESH:
        known = found.session.claims
    payload = {**known, **payload}
    if api_settings.USER_ID_CLAIM not in payload:
        payload[api_settings.USER_ID_CLAIM] = _user_id_of(found)
    return payload


def _user_id_of(found: Authenticated) -> str:
    field = api_settings.USER_ID_FIELD
    if field in {"pk", get_user_model()._meta.pk.attname}:
        return found.claims.sub  # Without loading the user.
    return str(getattr(found.user, field))


def find_session(claims: Claims) -> Session | None:
    """Return the session of a token that was read without asking whether it is good."""
    return Session.objects.filter(pk=claims.sid).first()


def find_user(payload: Mapping[str, Any], known: Any = None) -> Any:
    """Return the user that the claims name, None if they name no user. Raises TokenError."""
    value = payload.get(api_settings.USER_ID_CLAIM)
    if value is None:
        return None
    field = api_settings.USER_ID_FIELD
    if isinstance(known, get_user_model()) and str(getattr(known, field)) == str(value):
        return known
    try:
        return get_user_model()._default_manager.get(**{field: value})
    except (ObjectDoesNotExist, ValidationError, ValueError, TypeError, OverflowError) as error:
        raise TokenError(_("User not found")) from error


# Issuing


def own_claims(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a project has added, and the user, as JSON has it. Raises TypeError."""
    own = {
        name: value
        for name, value in payload.items()
        if name not in REGISTERED_CLAIMS and name != type_claim()
    }
    as_json: dict[str, Any] = json.loads(json.dumps(own, cls=api_settings.JSON_ENCODER))
    return as_json


def start(user: Any, payload: Mapping[str, Any], *, sid: UUID, idle: timedelta | None) -> TokenPair:
    """Begin a session with the payload's claims. ``idle`` is a lifetime of its own, if it has one."""
    absolute = None
    if idle is not None:
        idle = max(idle, A_MOMENT)
        absolute = max(idle, conf.TOKENS_SESSION_LIFETIME)
    claims = own_claims(payload) | {type_claim(): "access"}
    with refusals():
        return sessions.start(user, claims=claims, idle=idle, absolute=absolute, sid=sid)


def refresh(raw_refresh: Secret[str]) -> TokenPair:
    with refusals():
        return sessions.refresh(raw_refresh, admit=admit.get())


def issue_alone(user: Any, payload: Mapping[str, Any], *, lasts: timedelta, sid: UUID) -> Session:
    """Begin a session without a refresh token, which accepts tokens for ``lasts``; return it."""
    claims = _access_claims(payload)
    lifetime = max(lasts, A_MOMENT)
    with refusals():
        return sessions.issue_access_token(user, lifetime=lifetime, claims=claims, sid=sid).session


def can_hold(session: Session, until: int) -> bool:
    """
    Return whether the session's denial would last as long as an access token until then.

    If not, a copy of the denylist could forget it earlier.
    """
    latest = session.expires_at
    if session.kind == SessionKind.PAIR:
        latest = clock.now() + conf.TOKENS_ACCESS_LIFETIME
    return until <= latest.timestamp() + 1


def sign_access(
    session: Session, payload: Mapping[str, Any], *, generation: int | None = None
) -> tuple[str, str]:
    """Return an access token of the session with the payload's claims and ``exp``, and its ``jti``."""
    variant = copy(session)
    variant.claims = _access_claims(payload)
    variant.expires_at = datetime.fromtimestamp(max(0, int(payload.get("exp", 0))), UTC)
    if generation is not None:
        variant.generation = generation
    with refusals():
        token = pairs.issue_access(variant, now=clock.now())
    return token.raw_access, jti_of(variant.pk, variant.generation, TokenType.ACCESS)


def is_as_started(session: Session, payload: Mapping[str, Any]) -> bool:
    """Return whether the session's own access tokens have the claims of the payload."""
    return bool(_access_claims(payload) == session.claims)


def _access_claims(payload: Mapping[str, Any]) -> dict[str, Any]:
    type = payload.get(type_claim())
    return own_claims(payload) | ({} if type is None else {type_claim(): type})


def sign_statement(payload: Mapping[str, Any]) -> tuple[str, str]:
    """Return a token that belongs to no user, and its ``jti``. Without ``exp`` it has expired."""
    now = clock.now()
    issued_at = int(payload.get("iat", now.timestamp()))
    exp = max(0, int(payload.get("exp", issued_at)))
    lasts = max(timedelta(seconds=exp - issued_at), A_MOMENT)
    signer = keyring.signing_key(lifetime=lasts)
    key = keyring.verification_key(signer.kid, TokenType.REFRESH, now=now)
    sid = sid_in(payload.get("jti")) or uuid4()
    jti = jti_of(sid, 0, TokenType.REFRESH)
    claims = Claims(
        type=TokenType.REFRESH,
        kid=key.kid,
        iss=conf.TOKENS_ISSUER,
        aud=sessions.audience_of(TokenType.REFRESH),
        sub=STATEMENT_SUB,
        iat=issued_at,
        exp=exp,
        jti=jti,
        sid=sid,
        generation=0,
        extra=MappingProxyType({type_claim(): "", **_access_claims(payload)}),
    )
    return encode(claims, key=key), jti


# Taking back


def deny_statement(jti: str, exp: int) -> None:
    """Refuse a token without a user from now on, also if the caller's transaction is rolled back."""
    until = denylist.last_accepted(datetime.fromtimestamp(exp, UTC))
    lasting.require(Session)

    def work() -> None:
        denylist.deny(
            [(jti, None)],
            kind=DeniedToken.Kind.TOKEN,
            reason=EndReason.REVOKED.value,
            until=max(until, clock.now() + denylist.longest_accepted()),
        )

    lasting.do(work, Session, again=work)


def jti_now(session: Session, type: TokenType) -> str:
    return jti_of(session.pk, session.generation, type)

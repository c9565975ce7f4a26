"""
Explain step by step why a token is accepted or refused, for operators.

``sessions.verify`` decides, as it does for a request. The steps only show what it found. They
continue after a refusal, so that all reasons are seen. They stop where the claims cannot be
trusted: without a valid signature anyone can have written them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.contrib.auth import get_user_model

from .. import clock, denylist, keyring, sessions
from ..conf import conf
from ..errors import BadSignature, TokenError
from ..jose import Claims, Key, TokenType, check, read_signed
from ..models import DeniedToken, EndReason, Session, SigningKey, fetch_uncached
from ..secret import RawToken, Secret, hide
from ..sessions import auth_hash_matches, check_session
from .wording import utc

STEPS = ("format", "key", "signature", "type", "issuer", "expiry", "denylist", "session", "user")


@dataclass(frozen=True, slots=True)
class Step:
    """What one step found. ``passed`` is None if the step was not reached."""

    name: str
    passed: bool | None
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``refusal`` is empty if the token is accepted. No part of this can be used as a token."""

    refusal: str
    steps: tuple[Step, ...]
    claims: Claims | None
    denials: tuple[DeniedToken, ...]

    @property
    def accepted(self) -> bool:
        return not self.refusal


@dataclass(slots=True)
class _KeyRecorder:
    """Records the ``kid`` and the key of ``read_signed``, which show how far it came."""

    now: datetime
    kid: str | None = None
    key: Key | None = field(default=None, repr=False)

    def find_key(self, kid: str, type: TokenType) -> Key:
        self.kid = kid
        self.key = keyring.verification_key(kid, type, now=self.now)
        return self.key


def explain(raw_token: RawToken, *, now: datetime | None = None) -> Explanation:
    """Return whether the token is accepted at ``now``, and why. Raises KeyRingError."""
    raw_token = hide(raw_token)
    now = now or clock.now()
    recorder, claims, error = _KeyRecorder(now), None, None
    try:
        claims, _ = read_signed(raw_token, find_key=recorder.find_key)
    except TokenError as caught:
        error = caught
    denials = denylist.find(claims.ids if claims else [_storable(recorder.kid)])
    steps = list(_signature_steps(recorder, error, denials, length=len(raw_token.reveal())))
    if claims:
        session = Session.objects.select_related("user").filter(pk=claims.sid).first()
        if session:
            denials += denylist.find_cut_offs(claims.sub, begun_at=session.started_at)
        steps += _claims_steps(claims, now=now)
        steps.append(_denylist_step(denials))
        steps += _session_steps(claims, session, now=now)
    reached = {step.name for step in steps}
    steps += [Step(name, None, "not reached") for name in STEPS if name not in reached]
    return Explanation(
        refusal=_refusal(raw_token, now=now),
        steps=tuple(steps),
        claims=claims,
        denials=tuple(denials),
    )


def _refusal(raw_token: Secret[str], *, now: datetime) -> str:
    try:
        sessions.verify(raw_token, now=now)
    except TokenError as error:
        return str(error)
    return ""


def _signature_steps(
    recorder: _KeyRecorder, error: TokenError | None, denials: list[DeniedToken], *, length: int
) -> Iterator[Step]:
    if recorder.kid is None:
        yield Step("format", False, str(error))
        return
    yield Step("format", True, f"three base64url parts, {length} characters")
    row = SigningKey.objects.filter(kid=_storable(recorder.kid)).first()
    key_text = _key_text(row) if row else "no key has the token's kid; it may have been deleted"
    if recorder.key is None:
        yield Step("key", False, "; ".join([key_text, *map(_denial_text, denials)]))
        return
    yield Step("key", True, key_text)
    if isinstance(error, BadSignature):
        yield Step("signature", False, str(error))
        return
    yield Step("signature", True, f"valid, made by this key with {recorder.key.algorithm}")
    if error is not None:
        yield Step("type", False, str(error))


def _claims_steps(claims: Claims, *, now: datetime) -> Iterator[Step]:
    if claims.type is TokenType.ACCESS:
        kind = f"an access token ({claims.type})"
    else:
        kind = f"a refresh token ({claims.type}) of generation {claims.generation}"
    yield Step("type", True, kind)
    here = (conf.TOKENS_ISSUER, sessions.audience_of(claims.type))
    found = f"iss {claims.iss!r}, aud {claims.aud!r}"
    if (claims.iss, claims.aud) == here:
        yield Step("issuer", True, found)
    else:
        yield Step("issuer", False, f"{found}; expected are iss {here[0]!r}, aud {here[1]!r}")
    try:
        # Pass the token's own issuer and audience, so that only its times are checked.
        check(claims, issuer=claims.iss, audience=claims.aud, now=now, leeway=conf.TOKENS_LEEWAY)
    except TokenError as error:
        yield Step("expiry", False, f"{error} It was issued {_at(claims.iat)}.")
    else:
        yield Step("expiry", True, f"issued {_at(claims.iat)}, expires {_at(claims.exp)}")


def _denylist_step(denials: list[DeniedToken]) -> Step:
    if not denials:
        return Step(
            "denylist", True, "neither its jti, sid or kid nor its session's time is denied"
        )
    return Step("denylist", False, "; ".join(map(_denial_text, denials)))


def _denial_text(row: DeniedToken) -> str:
    """Return when the id was denied, by whom and why."""
    by = f" by {row.denied_by.get_username()}" if row.denied_by else ""
    if row.issued_before:
        whose = "of the user" if row.user_id else "of all users"
        return f"every session {whose} before {utc(row.issued_before)} revoked{by}: {row.reason}"
    return f"{row.kind} {row.value} denied {utc(row.denied_at)}{by}: {row.reason}"


def _session_steps(claims: Claims, session: Session | None, *, now: datetime) -> Iterator[Step]:
    if session is None:
        gone = f"session {claims.sid} does not exist: it was pruned, or deleted with its user"
        yield Step("session", False, gone)
        return
    yield _session_step(claims, session, now=now)
    yield _user_step(claims, session)


def _session_step(claims: Claims, session: Session, *, now: datetime) -> Step:
    started = f"{session.pk}, started {utc(session.started_at)}"
    if session.ended_at is not None:
        why = EndReason(session.end_reason).label
        return Step("session", False, f"{started}, ended {utc(session.ended_at)}: {why}")
    try:
        check_session(claims, session, now=now)
    except TokenError as error:
        limit = utc(session.expires_at)
        return Step("session", False, f"{started}, absolute limit {limit}. {error}")
    rotated = f"generation {session.generation} since {utc(session.refreshed_at)}"
    is_refresh = claims.type is TokenType.REFRESH
    if is_refresh and not sessions.would_refresh(claims, session, now=now):
        return Step("session", False, f"{started}, {rotated}: to use this token would end it")
    return Step("session", True, f"{started}, {rotated}")


def _user_step(claims: Claims, session: Session) -> Step:
    user = session.user
    name = f"{user.get_username()} ({user.pk})"
    if claims.sub != str(user.pk):
        return Step(
            "user", False, f"the token's sub is {claims.sub!r}, but the session is that of {name}"
        )
    if not user.is_active:
        return Step("user", False, f"{name} is not active")
    if not fetch_uncached(get_user_model()._default_manager.filter(pk=user.pk)):
        return Step("user", False, f"the default manager of the user model hides {name}")
    if conf.TOKENS_USER_RULE and not conf.TOKENS_USER_RULE(user):
        return Step("user", False, f"TOKENS_USER_RULE does not let {name} in")
    if not auth_hash_matches(session, user):
        return Step("user", False, f"the password of {name} has changed since sign-in")
    return Step("user", True, f"{name}, active, same password as at sign-in")


def _key_text(row: SigningKey) -> str:
    until = f", until {utc(row.verifies_until)}" if row.state == SigningKey.State.RETIRED else ""
    since = f"{row.get_state_display()} since {utc(row.state_since)}"
    return f"{row.kid}, {row.algorithm}, {since}{until}"


def _storable(kid: str | None) -> str:
    """Return an untrusted ``kid``, or "" if a database could not compare it."""
    return kid if kid and kid.isprintable() else ""


def _at(seconds: int) -> str | None:
    return utc(datetime.fromtimestamp(seconds, UTC))

"""
Why a token is accepted or refused, step by step, for operators.

``sessions.verify`` decides, as for a request; the steps only say what it will have met. They go
on after a refusal, so that all the reasons are seen, and stop where a token's own words could
not be believed: without a good signature anybody can have written them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils import timezone

from .. import denylist, keyring, sessions
from ..conf import conf
from ..errors import BadSignature, TokenError
from ..jose import Claims, Key, TokenType, codec
from ..models import DeniedToken, EndReason, Session, SigningKey
from ..sessions import auth_hash_matches, check_session, check_time_of_issue
from .wording import utc

STEPS = ("format", "key", "signature", "type", "issuer", "expiry", "denylist", "session", "user")


@dataclass(frozen=True, slots=True)
class Step:
    """What was found at one step; ``passed`` is None for a step that was not reached."""

    name: str
    passed: bool | None
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``refusal`` is empty for a token that is accepted. Nothing in it can be used as a token."""

    refusal: str
    steps: tuple[Step, ...]
    claims: Claims | None
    denials: tuple[DeniedToken, ...]

    @property
    def accepted(self) -> bool:
        return not self.refusal


@dataclass(slots=True)
class _Reading:
    """How far ``codec.read_signed`` came: where it stopped tells what it refused."""

    now: datetime
    kid: str | None = None
    key: Key | None = field(default=None, repr=False)

    def find_key(self, kid: str) -> Key:
        self.kid = kid
        self.key = keyring.verification_key(kid, now=self.now)
        return self.key


def explain(raw_token: str, *, now: datetime | None = None) -> Explanation:
    """Return what this token meets at ``now``, and what of it. Raises KeyRingError."""
    now = now or timezone.now()
    reading, claims, error = _Reading(now), None, None
    try:
        claims, _ = codec.read_signed(raw_token, find_key=reading.find_key)
    except TokenError as caught:
        error = caught
    denials = denylist.find(claims.ids if claims else [_storable(reading.kid)])
    steps = list(_reading_steps(reading, error, denials, length=len(raw_token)))
    if claims:
        steps += _claims_steps(claims, now=now)
        steps.append(_denylist_step(denials))
        steps += _session_steps(claims, now=now)
    reached = {step.name for step in steps}
    steps += [Step(name, None, "not reached") for name in STEPS if name not in reached]
    return Explanation(
        refusal=_refusal(raw_token, now=now),
        steps=tuple(steps),
        claims=claims,
        denials=tuple(denials),
    )


def _refusal(raw_token: str, *, now: datetime) -> str:
    try:
        sessions.verify(raw_token, now=now)
    except TokenError as error:
        return str(error)
    return ""


def _reading_steps(
    reading: _Reading, error: TokenError | None, denials: list[DeniedToken], *, length: int
) -> Iterator[Step]:
    if reading.kid is None:
        yield Step("format", False, str(error))
        return
    yield Step("format", True, f"three base64url parts, {length} characters")
    row = SigningKey.objects.filter(kid=_storable(reading.kid)).first()
    key_text = _key_text(row) if row else "no key has its kid, or has it any more"
    if reading.key is None:
        yield Step("key", False, "; ".join([key_text, *map(_denial_text, denials)]))
        return
    yield Step("key", True, key_text)
    if isinstance(error, BadSignature):
        yield Step("signature", False, str(error))
        return
    yield Step("signature", True, f"made by this key with {reading.key.algorithm}")
    if error is not None:
        yield Step("type", False, str(error))


def _claims_steps(claims: Claims, *, now: datetime) -> Iterator[Step]:
    match claims.type:
        case TokenType.ACCESS:
            yield Step("type", True, f"an access token ({claims.type})")
        case TokenType.REFRESH:
            kind = f"a refresh token ({claims.type}) of generation {claims.generation}"
            yield Step("type", True, kind)
    here = (conf.TOKENS_ISSUER, conf.TOKENS_AUDIENCE)
    said = f"iss {claims.iss!r}, aud {claims.aud!r}"
    if (claims.iss, claims.aud) == here:
        yield Step("issuer", True, said)
    else:
        yield Step("issuer", False, f"{said}, where {here[0]!r} and {here[1]!r} are expected")
    try:
        # Its own issuer and audience are handed in, so that this is about the time alone.
        codec.check(
            claims, issuer=claims.iss, audience=claims.aud, now=now, leeway=conf.TOKENS_LEEWAY
        )
        if claims.type is TokenType.ACCESS:
            codec.check_issued(claims, now=now, leeway=conf.TOKENS_LEEWAY)
    except TokenError as error:
        yield Step("expiry", False, f"{error} It was issued {_at(claims.iat)}.")
    else:
        yield Step("expiry", True, f"issued {_at(claims.iat)}, expires {_at(claims.exp)}")


def _denylist_step(denials: list[DeniedToken]) -> Step:
    if not denials:
        return Step("denylist", True, "its jti, its sid and its kid are not denied")
    return Step("denylist", False, "; ".join(map(_denial_text, denials)))


def _denial_text(row: DeniedToken) -> str:
    """Return who denied it, when and why."""
    by = f" by {row.denied_by.get_username()}" if row.denied_by else ""
    return f"{row.kind} {row.value} denied {utc(row.denied_at)}{by}: {row.reason}"


def _session_steps(claims: Claims, *, now: datetime) -> Iterator[Step]:
    session = Session.objects.select_related("user").filter(pk=claims.sid).first()
    if session is None:
        gone = f"session {claims.sid} does not exist: pruned, or deleted with its user"
        yield Step("session", False, gone)
        return
    yield _session_step(claims, session, now=now)
    yield _user_step(claims, session)


def _session_step(claims: Claims, session: Session, *, now: datetime) -> Step:
    began = f"{session.pk}, begun {utc(session.started_at)}"
    if session.ended_at is not None:
        why = EndReason(session.end_reason).label
        return Step("session", False, f"{began}, ended {utc(session.ended_at)}: {why}")
    try:
        check_session(session, now=now)
        check_time_of_issue(claims, session, now=now)
    except TokenError as error:
        limit = utc(session.expires_at)
        return Step("session", False, f"{began}, absolute limit {limit}. {error}")
    rotated = f"generation {session.generation} since {utc(session.refreshed_at)}"
    is_refresh = claims.type is TokenType.REFRESH
    if is_refresh and not sessions.would_refresh(claims, session, now=now):
        return Step("session", False, f"{began}, {rotated}: using this one would end it")
    return Step("session", True, f"{began}, {rotated}")


def _user_step(claims: Claims, session: Session) -> Step:
    user = session.user
    name = f"{user.get_username()} ({user.pk})"
    if claims.sub != str(user.pk):
        return Step("user", False, f"the token's sub is {claims.sub!r}, the session is of {name}")
    if not user.is_active:
        return Step("user", False, f"{name} is not active")
    if not auth_hash_matches(session, user):
        return Step("user", False, f"{name} has another password than at sign-in")
    return Step("user", True, f"{name}, active, same password as at sign-in")


def _key_text(row: SigningKey) -> str:
    until = f", until {utc(row.verifies_until)}" if row.state == SigningKey.State.RETIRED else ""
    since = f"{row.get_state_display()} since {utc(row.state_since)}"
    return f"{row.kid}, {row.algorithm}, {since}{until}"


def _storable(kid: str | None) -> str:
    """Return a stranger's ``kid`` as one that a database can be asked for."""
    return kid if kid and kid.isprintable() else ""


def _at(seconds: int) -> str | None:
    return utc(datetime.fromtimestamp(seconds, UTC))

"""Staff revoke a token or a token's id."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tokens import keyring, sessions
from tokens.conf import conf
from tokens.errors import (
    BadSignature,
    Denied,
    Expired,
    Malformed,
    SessionEnded,
    TokenError,
    UnknownKey,
    UserGone,
)
from tokens.jose import TokenType, jti_of, parse_jti
from tokens.models import DeniedToken, EndReason, Session
from tokens.operations import revocation

LONG = timedelta(hours=2)


@pytest.fixture
def pair(user: Any) -> sessions.TokenPair:
    return sessions.start(user)


def jti(pair: sessions.TokenPair, type: TokenType) -> str:
    return jti_of(pair.session.pk, pair.session.generation, type)


def test_a_jti_is_read_as_it_is_written(pair: sessions.TokenPair) -> None:
    for type in TokenType:
        assert parse_jti(jti(pair, type)) == (pair.session.pk, 0, type)


@pytest.mark.parametrize(
    "text",
    ["", "x", "0" * 32, f"{'0' * 32}.00a", f"{'0' * 32}.1b", f"{'A' * 32}.1a", f"{'0' * 32}.1a\n"],
)
def test_another_spelling_is_no_jti(text: str) -> None:
    assert parse_jti(text) is None


def test_an_expired_token_is_identified_and_a_forged_one_is_not(user: Any) -> None:
    pair = sessions.start(user, now=datetime.now(UTC) - LONG)
    assert revocation.identify(f" {pair.raw_access}\n").sid == pair.session.pk
    head, payload, _ = pair.raw_access.split(".")
    with pytest.raises(BadSignature):
        revocation.identify(f"{head}.{payload}.{'A' * 43}")


def test_a_token_of_a_revoked_key_tells_nothing(pair: sessions.TokenPair) -> None:
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    with pytest.raises(UnknownKey):
        revocation.identify(pair.raw_access)


def test_an_access_token_is_denied_and_its_session_goes_on(
    pair: sessions.TokenPair, django_user_model: Any
) -> None:
    grace = django_user_model.objects.create_user("grace", "grace@example.org")
    denial = revocation.deny_token(pair.raw_access, note="leaked", by=grace)
    assert not denial.session_ended
    with pytest.raises(Denied):
        sessions.authenticate(pair.raw_access)
    row = DeniedToken.objects.get(value=jti(pair, TokenType.ACCESS))
    assert (row.reason, row.denied_by, row.user) == ("leaked", grace, pair.session.user)
    sessions.authenticate(sessions.refresh(pair.raw_refresh).raw_access)


def test_a_refresh_token_of_any_generation_takes_its_session_along(
    pair: sessions.TokenPair,
) -> None:
    current = sessions.refresh(pair.raw_refresh)
    denial = revocation.deny_token(pair.raw_refresh, note="leaked")
    assert denial.session_ended
    with pytest.raises(SessionEnded):
        sessions.authenticate(current.raw_access)
    assert Session.objects.get().end_reason == EndReason.REVOKED
    assert DeniedToken.objects.get().reason == "leaked"


def test_a_jti_is_denied_for_as_long_as_its_token_can_live(pair: sessions.TokenPair) -> None:
    sessions.refresh(pair.raw_refresh)
    denial = revocation.deny_jti(jti(pair, TokenType.ACCESS), note="seen in a log")
    assert not denial.session_ended
    with pytest.raises(Denied):
        sessions.authenticate(pair.raw_access)
    row = DeniedToken.objects.get(value=denial.value)
    assert row.until == pair.session.expires_at + 2 * conf.TOKENS_LEEWAY


def test_the_jti_of_a_refresh_token_ends_the_session(pair: sessions.TokenPair) -> None:
    assert revocation.deny_jti(jti(pair, TokenType.REFRESH), note="seen in a log").session_ended
    with pytest.raises(SessionEnded):
        sessions.refresh(pair.raw_refresh)


def test_a_jti_that_no_token_has_yet_is_refused(pair: sessions.TokenPair) -> None:
    for value in ("nonsense", f"{pair.session.pk.hex}.1a"):
        with pytest.raises(Malformed):
            revocation.deny_jti(value, note="why not")
    assert not DeniedToken.objects.exists()


@pytest.mark.parametrize("by_jti", [False, True], ids=["token", "jti"])
@pytest.mark.parametrize("fate", ["denied", "ended", "gone"])
def test_what_is_refused_already_is_said_and_left_alone(
    user: Any, pair: sessions.TokenPair, fate: str, by_jti: bool
) -> None:
    expected: type[TokenError]
    match fate:
        case "denied":
            revocation.deny_token(pair.raw_access, note="first")
            expected = Denied
        case "ended":
            sessions.end_all(user, reason=EndReason.LOGOUT)
            expected = SessionEnded
        case _:
            user.delete()
            expected = UserGone
    before = list(DeniedToken.objects.values())
    deny: Callable[..., object] = revocation.deny_jti if by_jti else revocation.deny_token
    given = jti(pair, TokenType.ACCESS) if by_jti else pair.raw_access
    with pytest.raises(expected):
        deny(given, note="second")
    assert list(DeniedToken.objects.values()) == before


@pytest.mark.parametrize("fate", ["idle", "key revoked"])
def test_the_jti_of_a_refresh_token_that_is_over_changes_nothing(user: Any, fate: str) -> None:
    """Nothing ends, so nothing may be logged as ended."""
    now = timezone.now()
    began = (
        now
        if fate == "key revoked"
        else now - conf.TOKENS_REFRESH_LIFETIME - conf.TOKENS_LEEWAY * 2
    )
    pair = sessions.start(user, now=began)
    if fate == "key revoked":
        keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    denied = DeniedToken.objects.count()
    with pytest.raises(SessionEnded, match="no longer live"):
        revocation.deny_jti(jti(pair, TokenType.REFRESH), note="seen in a log")
    assert DeniedToken.objects.count() == denied
    assert Session.objects.get().ended_at is None


def test_an_expired_token_needs_no_denial(user: Any) -> None:
    with pytest.raises(Expired):
        revocation.deny_token(
            sessions.start(user, now=datetime.now(UTC) - LONG).raw_access, note="late"
        )
    assert not DeniedToken.objects.exists()


@pytest.mark.parametrize("kind", ["raw_access", "raw_refresh"])
def test_staff_and_the_api_revoke_the_same_token_by_as_many_queries(
    user: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A package with status lists reads a column that a request with a token does not.
    monkeypatch.setattr("tokens.sessions.status._statuses", None)
    counts = []
    for revoke in (sessions.revoke, partial(revocation.deny_token, note="leaked")):
        raw_token = getattr(sessions.start(user), kind)
        with CaptureQueriesContext(connection) as captured:
            revoke(raw_token)
        counts.append(len(captured))
    assert counts[0] == counts[1]

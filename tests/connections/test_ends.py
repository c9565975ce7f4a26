"""Each kind of end closes the connections that it concerns, and no other."""

from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests.connections.held import PATIENCE, Held, claims_of
from tokens import clock, denylist, sessions
from tokens.connections import watch
from tokens.connections.registry import Registry
from tokens.errors import Expired, TokenError, WrongClaims, WrongType
from tokens.jose import Claims
from tokens.models import DeniedToken, Session
from tokens.secret import hide
from tokens.sessions import EndReason, TokenPair


@pytest.fixture
def held(pair: TokenPair) -> Held:
    return Held(pair)


@pytest.fixture
def bystander(registry: Registry) -> Held:
    grace = get_user_model().objects.create_user("grace", "grace@example.org", "x")
    return Held(sessions.start(grace))


def sign_out(held: Held) -> None:
    sessions.end(Session.objects.filter(pk=held.claims.sid), reason=EndReason.LOGOUT)


def deny_token(held: Held) -> None:
    sessions.revoke_token(held.claims.jti, Session.objects.get(pk=held.claims.sid))


def deny_key(held: Held) -> None:
    until = clock.now() + timedelta(hours=1)
    denylist.deny([(held.claims.kid, None)], kind=DeniedToken.Kind.KEY, reason="x", until=until)


def deactivate(held: Held) -> None:
    user = get_user_model().objects.get(pk=held.claims.sub)
    user.is_active = False
    user.save()


def deactivate_silently(held: Held) -> None:
    get_user_model().objects.filter(pk=held.claims.sub).update(is_active=False)


def change_password(held: Held) -> None:
    user = get_user_model().objects.get(pk=held.claims.sub)
    user.set_password("another one of the kind")
    user.save()


def delete(held: Held) -> None:
    get_user_model().objects.get(pk=held.claims.sub).delete()


def revoke_user(held: Held) -> None:
    sessions.revoke_user(get_user_model().objects.get(pk=held.claims.sub), note="x")


def reach_limit(held: Held) -> None:
    past = clock.now() - timedelta(minutes=1)
    Session.objects.filter(pk=held.claims.sid).update(
        started_at=past - timedelta(days=1),
        refreshed_at=past - timedelta(days=1),
        idle_until=past,
        expires_at=past,
    )


def lose_denials(held: Held) -> None:
    """End the session, and lose the denial, as after a failover."""
    Session.objects.filter(pk=held.claims.sid).update(
        ended_at=clock.now(), end_reason=EndReason.REVOKED
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "code"),
    [
        (sign_out, "session_ended"),
        (deny_token, "token_denied"),
        (deactivate, "user_refused"),
        (deactivate_silently, "user_refused"),
        (change_password, "session_ended"),
        (delete, "user_refused"),
        (revoke_user, "session_ended"),
        (reach_limit, "session_ended"),
        (lose_denials, "session_ended"),
    ],
)
def test_a_connection_ends_and_no_other(held: Held, bystander: Held, act: Any, code: str) -> None:
    act(held)
    assert held.code() == code
    assert bystander.stays_open()


@pytest.mark.parametrize("act", [deny_key, lambda held: sessions.revoke_everything(note="x")])
def test_what_concerns_all_ends_all(held: Held, bystander: Held, act: Any) -> None:
    act(held)
    assert held.code() == bystander.code() == "token_denied"


def test_a_refresh_ends_no_connection(held: Held, pair: TokenPair) -> None:
    sessions.refresh(hide(pair.raw_refresh))
    assert held.stays_open()


def test_a_token_that_ended_before_the_connection_was_watched_ends_it(pair: TokenPair) -> None:
    claims = claims_of(pair)
    sessions.revoke(pair.raw_refresh)
    ended = Event()
    watch(claims, lambda end: ended.set())
    assert ended.wait(PATIENCE)


def test_an_expired_token_ends_the_connection_after_the_grace(
    pair: TokenPair, settings: Any
) -> None:
    settings.TOKENS_CONNECTION_EXPIRY_GRACE = timedelta(seconds=-300)
    assert Held(pair).code() == "token_expired"


def test_a_newer_token_renews_the_connection(held: Held, registry: Registry) -> None:
    claims = Claims(**{**vars_of(held.claims), "exp": held.claims.exp + 60})
    second = held.connection.second
    held.connection.renew(claims)
    assert held.connection.second == second + 60
    assert held.stays_open()
    with pytest.raises(Expired):
        held.connection.renew(held.claims)


def vars_of(claims: Claims) -> dict[str, Any]:
    return {name: getattr(claims, name) for name in claims.__dataclass_fields__}


def test_a_token_of_another_session_renews_nothing(
    held: Held, bystander: Held, pair: TokenPair
) -> None:
    with pytest.raises(WrongClaims):
        held.connection.renew(bystander.claims)
    refresh_token = sessions.read_claims(hide(pair.raw_refresh), now=clock.now())
    with pytest.raises(WrongType):
        held.connection.renew(refresh_token)
    assert issubclass(WrongType, TokenError)


def test_a_closed_connection_is_not_told(held: Held, bystander: Held) -> None:
    with held.connection:
        pass
    held.connection.close()
    sign_out(held)
    sign_out(bystander)
    assert bystander.code() == "session_ended"
    assert held.ends == []


def test_the_threads_end_with_the_last_connection(held: Held, registry: Registry) -> None:
    threads = list(registry._threads)
    assert len(threads) == 2
    held.connection.close()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert registry._threads == []

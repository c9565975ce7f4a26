"""Sign in, call, end: the rules, at the seconds where they change their answer."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from tokens import keyring, sessions
from tokens.errors import (
    ClaimsError,
    Denied,
    Expired,
    PasswordChanged,
    SessionEnded,
    UserGone,
    UserInactive,
    WrongClaims,
    WrongType,
)
from tokens.jose import TokenType, jti_of
from tokens.models import DeniedToken, EndReason, Session
from tokens.sessions import TokenPair

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEEWAY = 10 * SECOND
ACCESS = timedelta(minutes=5)
GRACE = 30 * SECOND
IDLE = timedelta(days=14)


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user, now=NOW)


def test_an_access_token_brings_its_user_and_its_claims(user: Any, pair: TokenPair) -> None:
    found = sessions.authenticate(pair.raw_access, now=NOW)
    assert found.session.user == user
    assert found.claims.type is TokenType.ACCESS
    assert found.claims.sub == str(user.pk)
    assert found.claims.sid == pair.session.pk
    assert found.claims.exp - found.claims.iat == 300
    assert found.claims.generation is None


def test_a_refresh_token_carries_the_generation(pair: TokenPair) -> None:
    claims = sessions.verify(pair.raw_refresh, now=NOW).claims
    assert claims.type is TokenType.REFRESH
    assert claims.generation == 0
    assert claims.exp - claims.iat == IDLE.total_seconds()


def test_an_inactive_user_cannot_begin_a_session(user: Any) -> None:
    user.is_active = False
    with pytest.raises(UserInactive):
        sessions.start(user)
    assert not Session.objects.exists()


def test_repr_hides_the_tokens(pair: TokenPair) -> None:
    assert pair.raw_access not in repr(pair)
    assert pair.raw_refresh not in repr(pair)


def test_an_access_token_is_good_until_its_last_second_and_the_leeway(pair: TokenPair) -> None:
    sessions.authenticate(pair.raw_access, now=NOW + ACCESS + LEEWAY - SECOND)
    with pytest.raises(Expired):
        sessions.authenticate(pair.raw_access, now=NOW + ACCESS + LEEWAY)


def test_a_token_from_a_clock_that_is_ahead_is_good_within_the_leeway(pair: TokenPair) -> None:
    sessions.authenticate(pair.raw_access, now=NOW - LEEWAY)
    with pytest.raises(WrongClaims):
        sessions.authenticate(pair.raw_access, now=NOW - LEEWAY - SECOND)


def test_each_function_takes_its_own_type_of_token_only(pair: TokenPair) -> None:
    with pytest.raises(WrongType):
        sessions.authenticate(pair.raw_refresh, now=NOW)
    with pytest.raises(WrongType):
        sessions.refresh(pair.raw_access, now=NOW)


def test_an_ended_session_is_refused_on_the_next_look(pair: TokenPair) -> None:
    assert sessions.end([pair.session], reason=EndReason.LOGOUT, now=NOW) == 1
    with pytest.raises(SessionEnded):
        sessions.authenticate(pair.raw_access, now=NOW)


def test_a_reason_may_be_a_string_and_an_unknown_one_changes_nothing(pair: TokenPair) -> None:
    why: Any = "loggout"
    with pytest.raises(TypeError, match=r"'loggout'.*EndReason.LOGOUT"):
        sessions.end([pair.session], reason=why)
    sessions.authenticate(pair.raw_access, now=NOW)
    why = "logout"
    assert sessions.end_all(pair.session.user, reason=why, now=NOW) == 1
    assert Session.objects.get().end_reason == EndReason.LOGOUT


def test_ending_twice_keeps_the_first_reason(pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.LOGOUT, now=NOW)
    assert sessions.end([pair.session], reason=EndReason.REVOKED, now=NOW + SECOND) == 0
    session = Session.objects.get()
    assert (session.end_reason, session.ended_at) == (EndReason.LOGOUT, NOW)
    assert DeniedToken.objects.get().reason == EndReason.LOGOUT


def test_ending_says_who_and_why_on_the_denylist(user: Any, pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.REVOKED, note="lost telephone", by=user, now=NOW)
    row = DeniedToken.objects.get()
    assert (row.value, row.kind, row.user) == (str(pair.session.pk), "sid", user)
    assert (row.reason, row.denied_by, row.denied_at) == ("lost telephone", user, NOW)
    # Twice: two hosts' clocks may differ. And however long the end waited for its lock.
    assert timedelta(0) <= row.until - (NOW + ACCESS + GRACE + 2 * LEEWAY) < timedelta(seconds=30)


def test_ending_nothing_changes_nothing(db: None) -> None:
    assert sessions.end([], reason=EndReason.LOGOUT) == 0
    assert not DeniedToken.objects.exists()


def test_ending_the_others_keeps_the_named_ones(user: Any, pair: TokenPair) -> None:
    others = [sessions.start(user, now=NOW) for _ in range(3)]
    keep = [pair.session.pk]
    assert sessions.end_others(user, keep=keep, reason=EndReason.LOGOUT, now=NOW) == 3
    sessions.authenticate(pair.raw_access, now=NOW)
    for other in others:
        with pytest.raises(SessionEnded):
            sessions.authenticate(other.raw_access, now=NOW)


def test_ending_many_sessions_costs_few_queries(
    user: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(40):
        sessions.start(user, now=NOW)
    with django_assert_max_num_queries(6):
        assert sessions.end_all(user, reason=EndReason.LOGOUT, now=NOW) == 40


def test_revoking_an_access_token_ends_it_and_nothing_else(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_access, now=NOW)
    with pytest.raises(Denied):
        sessions.authenticate(pair.raw_access, now=NOW)
    successor = sessions.refresh(pair.raw_refresh, now=NOW)
    sessions.authenticate(successor.raw_access, now=NOW)


def test_revoking_a_refresh_token_of_any_generation_ends_the_session(pair: TokenPair) -> None:
    successor = sessions.refresh(pair.raw_refresh, now=NOW)
    sessions.revoke(pair.raw_refresh, now=NOW + timedelta(hours=1))
    with pytest.raises(SessionEnded):
        sessions.refresh(successor.raw_refresh, now=NOW + timedelta(hours=1))


@pytest.mark.parametrize("which", ["jti", "sid", "kid"])
def test_each_of_the_three_ids_refuses_the_token(pair: TokenPair, which: str) -> None:
    found = sessions.authenticate(pair.raw_access, now=NOW)
    value = str(getattr(found.claims, which))
    DeniedToken.objects.create(value=value, kind=which, denied_at=NOW, until=NOW)
    with pytest.raises(Denied):
        sessions.authenticate(pair.raw_access, now=NOW)


def test_a_deleted_users_token_is_refused_and_leaves_a_tombstone(
    user: Any, pair: TokenPair
) -> None:
    user.delete()
    with pytest.raises(UserGone):
        sessions.authenticate(pair.raw_access, now=NOW)
    with pytest.raises(UserGone):
        sessions.refresh(pair.raw_refresh, now=NOW)
    assert DeniedToken.objects.get().value == str(pair.session.pk)


def test_a_token_of_another_users_session_is_refused(
    pair: TokenPair, django_user_model: Any
) -> None:
    other = django_user_model.objects.create_user("bob", "bob@example.org")
    Session.objects.update(user=other)
    with pytest.raises(UserGone):
        sessions.authenticate(pair.raw_access, now=NOW)


def test_a_session_id_that_does_not_exist_is_refused(pair: TokenPair) -> None:
    Session.objects.update(id=uuid4())
    Session.objects.filter(pk=pair.session.pk).delete()
    with pytest.raises(UserGone):
        sessions.authenticate(pair.raw_access, now=NOW)


def test_a_password_changed_behind_the_models_back_is_noticed(user: Any, pair: TokenPair) -> None:
    """A bulk update sends no signal; the hash that the session began with still tells."""
    type(user).objects.filter(pk=user.pk).update(password="another")
    with pytest.raises(PasswordChanged):
        sessions.authenticate(pair.raw_access, now=NOW)


def test_a_new_secret_key_with_the_old_as_fallback_keeps_the_sessions(
    pair: TokenPair, settings: Any
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-that-is-long-enough-0123456789"
    sessions.authenticate(pair.raw_access, now=NOW)
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(PasswordChanged):
        sessions.authenticate(pair.raw_access, now=NOW)


def claims_for_tests(session: Session) -> dict[str, Any]:
    return {"plan": f"gold {session.generation}"}


def claims_that_take_over(session: Session) -> dict[str, Any]:
    return {"sub": "somebody else"}


def test_the_claims_hook_adds_claims_at_every_issue(user: Any, settings: Any) -> None:
    settings.TOKENS_CLAIMS_HOOK = f"{__name__}.claims_for_tests"
    pair = sessions.start(user, now=NOW)
    assert sessions.authenticate(pair.raw_access, now=NOW).claims.extra == {"plan": "gold 0"}
    successor = sessions.refresh(pair.raw_refresh, now=NOW)
    assert sessions.authenticate(successor.raw_access, now=NOW).claims.extra == {"plan": "gold 1"}


def test_the_claims_hook_cannot_replace_a_registered_claim(user: Any, settings: Any) -> None:
    settings.TOKENS_CLAIMS_HOOK = f"{__name__}.claims_that_take_over"
    with pytest.raises(ClaimsError, match="may not set the claim 'sub'"):
        sessions.start(user, now=NOW)


def test_authenticating_costs_one_query(
    pair: TokenPair, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keyring.signing_key()
    with django_assert_num_queries(1):
        found = sessions.authenticate(pair.raw_access, now=NOW)
        assert found.session.user.username == "ada"


def test_no_token_and_nothing_that_could_be_replayed_is_stored(pair: TokenPair) -> None:
    signatures = [raw.rpartition(".")[2] for raw in (pair.raw_access, pair.raw_refresh)]
    stored = str(list(Session.objects.values())) + str(list(DeniedToken.objects.values()))
    assert not any(signature in stored for signature in signatures)


@pytest.mark.parametrize("jti", ["one", jti_of(UUID(int=1), 0, TokenType.ACCESS)])
def test_a_token_of_another_session_cannot_be_revoked_with_this_one(user: Any, jti: str) -> None:
    session = sessions.start(user).session
    with pytest.raises(ValueError, match="not one of the session's"):
        sessions.revoke_token(jti, session)
    assert not DeniedToken.objects.exists()

"""A refresh token used once, twice, late, in a race: what it is answered."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from tokens import keyring, sessions
from tokens.api.serializers import PairSerializer
from tokens.errors import Denied, Expired, RefreshTokenReused, SessionEnded, UserGone
from tokens.models import DeniedToken, EndReason, Session
from tokens.sessions import TokenPair, ending, events, refreshing, seen

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEEWAY = 10 * SECOND
IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=90)
GRACE = 30 * SECOND


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user, now=NOW)


def jtis(pair: TokenPair, *, now: datetime) -> tuple[str, str]:
    access = sessions.verify(pair.raw_access, now=now)
    refresh = sessions.verify(pair.raw_refresh, now=now)
    return access.claims.jti, refresh.claims.jti


def rotated_and_used(pair: TokenPair, **how: Any) -> TokenPair:
    """Refresh at NOW, and let it be written that the successor was seen in use."""
    successor = sessions.refresh(pair.raw_refresh, now=NOW, **how)
    sessions.authenticate(successor.raw_access, now=NOW)
    seen.flush()
    return successor


def test_a_refresh_gives_the_next_generation_with_ids_of_its_own(pair: TokenPair) -> None:
    later = NOW + timedelta(minutes=4)
    successor = sessions.refresh(pair.raw_refresh, now=later)
    assert sessions.verify(successor.raw_refresh, now=later).claims.generation == 1
    assert not set(jtis(pair, now=later)) & set(jtis(successor, now=later))
    sessions.authenticate(pair.raw_access, now=later)


def test_the_previous_refresh_token_gets_the_current_pair_again_within_the_grace(
    pair: TokenPair,
) -> None:
    successor = sessions.refresh(pair.raw_refresh, now=NOW)
    again = sessions.refresh(pair.raw_refresh, now=NOW + GRACE)
    assert again.raw_refresh == successor.raw_refresh
    assert jtis(again, now=NOW + GRACE) == jtis(successor, now=NOW + GRACE)
    assert Session.objects.get().generation == 1


def test_an_answer_gives_the_lifetimes_from_its_own_request_on(pair: TokenPair) -> None:
    successor = sessions.refresh(pair.raw_refresh, now=NOW)
    again = sessions.refresh(pair.raw_refresh, now=NOW + GRACE)
    lifetimes = [
        (answer["expires_in"], answer["refresh_expires_in"])
        for answer in (PairSerializer(successor).data, PairSerializer(again).data)
    ]
    # NOW is years from the clock of this test: a second reading of it would show.
    assert lifetimes == [(300, 14 * 86400), (300, 14 * 86400 - 30)]


def test_the_previous_refresh_token_after_the_grace_ends_the_session(pair: TokenPair) -> None:
    successor = rotated_and_used(pair)
    late = NOW + GRACE + SECOND
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, now=late)
    with pytest.raises(SessionEnded):
        sessions.refresh(successor.raw_refresh, now=late)
    with pytest.raises(SessionEnded):
        sessions.authenticate(successor.raw_access, now=late)


def test_an_older_refresh_token_ends_the_session_even_within_the_grace(pair: TokenPair) -> None:
    later = NOW + GRACE + SECOND
    second = sessions.refresh(pair.raw_refresh, now=NOW)
    assert sessions.refresh(second.raw_refresh, now=later).session.generation == 2
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, now=later)


def test_reuse_is_recorded_with_the_addresses_of_both_parties(user: Any) -> None:
    victim, thief = sessions.Client("192.0.2.1", "Firefox"), sessions.Client("198.51.100.7")
    pair = sessions.start(user, client=victim, now=NOW)
    rotated_and_used(pair, client=victim)
    late = NOW + GRACE + SECOND
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, client=thief, now=late)
    session = Session.objects.get()
    assert session.end_reason == EndReason.REUSE
    assert session.ended_at == late
    assert session.refreshed_ip_address == "192.0.2.1"
    assert session.ended_ip_address == "198.51.100.7"


def test_the_grace_never_revives_a_session_that_was_ended(pair: TokenPair) -> None:
    sessions.refresh(pair.raw_refresh, now=NOW)
    sessions.end([pair.session], reason=EndReason.LOGOUT, now=NOW)
    with pytest.raises(SessionEnded):
        sessions.refresh(pair.raw_refresh, now=NOW)


def test_reuse_of_one_session_leaves_the_users_others_alone(user: Any, pair: TokenPair) -> None:
    other = sessions.start(user, now=NOW)
    rotated_and_used(pair)
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, now=NOW + GRACE + SECOND)
    sessions.authenticate(other.raw_access, now=NOW)


def test_an_idle_session_cannot_be_refreshed(pair: TokenPair) -> None:
    with pytest.raises(Expired):
        sessions.refresh(pair.raw_refresh, now=NOW + IDLE + LEEWAY)


def test_refreshing_never_moves_the_absolute_limit(pair: TokenPair) -> None:
    now = NOW
    while now + timedelta(days=13) < NOW + ABSOLUTE:
        now += timedelta(days=13)
        pair = sessions.refresh(pair.raw_refresh, now=now)
    end = NOW + ABSOLUTE
    assert pair.refresh_expires_at == end
    last = sessions.refresh(pair.raw_refresh, now=end - SECOND)
    assert last.access_expires_at == end
    with pytest.raises(Expired):
        sessions.authenticate(last.raw_access, now=end + LEEWAY)
    with pytest.raises(Expired):
        sessions.refresh(last.raw_refresh, now=end + LEEWAY)


def test_a_longer_token_of_the_past_does_not_outlive_its_session(
    pair: TokenPair, settings: Any
) -> None:
    """As when the operator shortened the session's life by hand, because of an incident."""
    Session.objects.update(idle_until=NOW + SECOND, expires_at=NOW + SECOND)
    with pytest.raises(Expired):
        sessions.authenticate(pair.raw_access, now=NOW + SECOND + LEEWAY)


def test_a_denied_refresh_token_does_not_rotate(pair: TokenPair) -> None:
    jti = sessions.verify(pair.raw_refresh, now=NOW).claims.jti
    DeniedToken.objects.create(value=jti, kind="jti", denied_at=NOW, until=NOW)
    with pytest.raises(Denied):
        sessions.refresh(pair.raw_refresh, now=NOW)
    assert Session.objects.get().generation == 0


def test_verify_knows_that_a_refresh_token_was_rotated(pair: TokenPair) -> None:
    rotated_and_used(pair)
    sessions.verify(pair.raw_refresh, now=NOW + GRACE)
    with pytest.raises(SessionEnded):
        sessions.verify(pair.raw_refresh, now=NOW + GRACE + SECOND)
    assert Session.objects.get().ended_at is None


@pytest.mark.parametrize("again", [False, True])
def test_a_refresh_costs_at_most_three_queries(
    pair: TokenPair, django_assert_max_num_queries: DjangoAssertNumQueries, again: bool
) -> None:
    if again:
        sessions.refresh(pair.raw_refresh, now=NOW)
    with django_assert_max_num_queries(3):
        sessions.refresh(pair.raw_refresh, now=NOW)


def before_the_update(monkeypatch: pytest.MonkeyPatch, happens: Any) -> None:
    """Let something happen once, after a refresh has looked and before it moves the row."""
    signing_key = keyring.signing_key

    def hesitate(**how: Any) -> Any:
        monkeypatch.setattr(keyring, "signing_key", signing_key)
        happens()
        return signing_key(**how)

    monkeypatch.setattr(keyring, "signing_key", hesitate)


def test_a_session_that_ends_while_it_is_refreshed_stays_ended(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_update(
        monkeypatch, lambda: sessions.end([pair.session], reason=EndReason.REVOKED, now=NOW)
    )
    with pytest.raises(SessionEnded):
        sessions.refresh(pair.raw_refresh, now=NOW)
    assert Session.objects.get().generation == 0


def test_the_loser_of_a_race_gets_the_winners_pair(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    won = []
    before_the_update(monkeypatch, lambda: won.append(sessions.refresh(pair.raw_refresh, now=NOW)))
    lost = sessions.refresh(pair.raw_refresh, now=NOW)
    assert (lost.raw_access, lost.raw_refresh) == (won[0].raw_access, won[0].raw_refresh)
    assert Session.objects.get().generation == 1


def test_a_refresh_whose_user_is_deleted_meanwhile_is_refused(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = sessions.start(user)

    def another_was_first(*_: Any, **how: Any) -> bool:
        user.delete()
        return False

    monkeypatch.setattr(refreshing, "_rotate", another_was_first)
    with pytest.raises(UserGone):
        sessions.refresh(pair.raw_refresh)


def test_reuse_of_a_session_that_another_process_ends_meanwhile_is_reported_there_only(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotated_and_used(pair)
    reported: list[Any] = []
    monkeypatch.setattr(ending, "_end", lambda *args: 0)
    monkeypatch.setattr(events, "reused", lambda *args: reported.append(args))
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, now=NOW + GRACE + SECOND)
    assert reported == []

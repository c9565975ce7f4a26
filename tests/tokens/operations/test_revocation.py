"""Bulk revocation: which sessions end, and at what cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tokens import clock, denylist, sessions
from tokens.conf import conf
from tokens.errors import Denied, SessionEnded, TokenError
from tokens.jose import TokenType, jti_of
from tokens.models import DeniedToken, Session, SessionState
from tokens.operations import revocation, tally

pytestmark = pytest.mark.django_db


def test_a_host_whose_clock_is_behind_accepts_nothing_either(user: Any) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    started = now - conf.TOKENS_REFRESH_LIFETIME - timedelta(seconds=14)
    pair = sessions.start(user, now=started)
    behind = now - timedelta(seconds=5)
    sessions.verify(pair.raw_refresh, now=behind)
    assert revocation.carry_out(revocation.everything(), note="leak", now=now) == 1
    with pytest.raises(Denied):
        sessions.verify(pair.raw_refresh, now=behind)


@pytest.mark.parametrize("ahead", [5, 30, 1200])
def test_a_host_whose_clock_is_ahead_keeps_no_session_either(user: Any, ahead: int) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    pair = sessions.start(user, now=now + timedelta(seconds=ahead))
    revocation.carry_out(revocation.everything(), note="leak", now=now)
    with pytest.raises(Denied):
        sessions.authenticate(pair.raw_access, now=now + timedelta(seconds=ahead))


@pytest.mark.parametrize("target", ["everything", "of_user"])
def test_a_sign_in_of_the_same_second_is_good(user: Any, target: str) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    for _ in range(2):
        before = sessions.start(user, now=now)
        words = ["ada"] if target == "of_user" else []
        revocation.carry_out(getattr(revocation, target)(*words), note="leak", now=now)
        after = sessions.start(user, now=now)
        token = sessions.issue_access_token(user, now=now)
        with pytest.raises(TokenError):
            sessions.authenticate(before.raw_access, now=now)
        with pytest.raises(TokenError):
            sessions.refresh(before.raw_refresh, now=now)
        sessions.authenticate(token.raw_access, now=now)
        sessions.authenticate(after.raw_access, now=now)
        sessions.refresh(after.raw_refresh, now=now)


def test_revoking_everything_is_one_row_and_costs_the_same_for_any_number(user: Any) -> None:
    def queries(number_of_sessions: int) -> int:
        for _ in range(number_of_sessions):
            sessions.start(user)
        with CaptureQueriesContext(connection) as captured:
            assert revocation.carry_out(revocation.everything(), note="leak") == number_of_sessions
        return len(captured)

    queries(1)  # The first one inserts the row.
    assert queries(2) == queries(20)
    assert DeniedToken.objects.count() == 1


def test_everything_that_was_revoked_is_no_longer_live(user: Any) -> None:
    session = sessions.start(user).session
    revocation.carry_out(revocation.everything(), note="leak")
    now = clock.now()
    row = Session.objects.with_revoked().get()
    assert row.state_at(now) is SessionState.CUT_OFF
    for state in SessionState:
        found = Session.objects.in_state(state, now=now).exists()
        assert found == (state is SessionState.CUT_OFF)
    assert revocation.cost(revocation.everything()) == revocation.Cost()
    with pytest.raises(SessionEnded, match="revoked with all sessions"):
        revocation.deny_jti(jti_of(session.pk, 0, TokenType.ACCESS), note="again")


def test_a_count_of_ten_thousand_is_a_minimum(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "WINDOW", 2)
    for _ in range(3):
        sessions.start(user)
    cost = revocation.cost(revocation.everything())
    assert (cost.sessions, cost.exact) == (2, False)
    Session.objects.update(idle_until=clock.now())
    assert revocation.cost(revocation.everything())  # There may be live ones among the others.


def test_a_denial_of_the_sessions_of_a_user_with_a_long_key_fits(user: Any) -> None:
    short, long = (denylist.cut_off_values("x" * length)[1] for length in (62, 63))
    assert (len(short), len(long)) == (64, 64)
    assert long != denylist.cut_off_values("x" * 65)[1]


def test_a_user_who_is_deleted_meanwhile_has_no_session_left(user: Any) -> None:
    target = revocation.of_user("ada")
    sessions.start(user)
    type(user).objects.all().delete()
    assert revocation.carry_out(target, note="leak") == 0


def test_a_token_whose_user_is_deleted_meanwhile_is_revoked_already(user: Any) -> None:
    pair = sessions.start(user)
    jti = jti_of(pair.session.pk, pair.session.generation, TokenType.ACCESS)
    target = revocation.of_token(jti)
    user.delete()
    assert revocation.carry_out(target, note="leak") == 0

"""Bulk revocation: which sessions end, and at what cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tokens import sessions
from tokens.conf import conf
from tokens.errors import SessionEnded
from tokens.jose import TokenType, jti_of
from tokens.operations import revocation
from tokens.sessions import ending

pytestmark = pytest.mark.django_db


def test_a_host_whose_clock_is_behind_accepts_nothing_either(user: Any) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    started = now - conf.TOKENS_REFRESH_LIFETIME - timedelta(seconds=14)
    pair = sessions.start(user, now=started)
    behind = now - timedelta(seconds=5)
    sessions.verify(pair.raw_refresh, now=behind)
    assert revocation.carry_out(revocation.everything(), note="leak", now=now) == 1
    with pytest.raises(SessionEnded):
        sessions.verify(pair.raw_refresh, now=behind)


def test_a_host_whose_clock_is_ahead_keeps_no_session_either(user: Any) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    sessions.start(user, now=now + timedelta(seconds=5))
    sessions.start(user, now=now + timedelta(seconds=30))
    assert revocation.carry_out(revocation.everything(), note="leak", now=now) == 1


def test_a_batch_costs_the_same_whatever_its_size(user: Any, monkeypatch: Any) -> None:
    def queries(number_of_sessions: int) -> int:
        for _ in range(number_of_sessions):
            sessions.start(user)
        with CaptureQueriesContext(connection) as captured:
            assert revocation.carry_out(revocation.everything(), note="leak") > 0
        return len(captured)

    assert queries(2) == queries(20)
    monkeypatch.setattr(ending, "BATCH_SIZE", 10)
    assert queries(2) < queries(20) <= 2 * queries(2)


def test_a_token_whose_user_is_deleted_meanwhile_is_revoked_already(user: Any) -> None:
    pair = sessions.start(user)
    jti = jti_of(pair.session.pk, pair.session.generation, TokenType.ACCESS)
    target = revocation.of_token(jti)
    user.delete()
    assert revocation.carry_out(target, note="leak") == 0

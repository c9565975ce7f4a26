"""A user may have TOKENS_SESSIONS_PER_USER sessions at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from pytest_django import DjangoAssertNumQueries

from tokens import keyring, sessions
from tokens.errors import SessionEnded
from tokens.models import DeniedToken, EndReason, Session
from tokens.sessions import TokenPair, limit

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMIT = 20

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limit(settings: Any) -> None:
    settings.TOKENS_SESSIONS_PER_USER = LIMIT


def start_many(user: Any, count: int) -> list[TokenPair]:
    """Start sessions one minute apart, the last of them at NOW."""
    return [sessions.start(user, now=NOW - (count - 1 - i) * MINUTE) for i in range(count)]


def ended(pairs: Sequence[TokenPair]) -> list[int]:
    """Return the positions of the pairs whose session has ended because of the limit."""
    over = Session.objects.filter(end_reason=EndReason.OVER_LIMIT).values_list("pk", flat=True)
    return [position for position, pair in enumerate(pairs) if pair.session.pk in over]


def test_so_many_sessions_are_allowed_and_one_more_ends_the_one_idle_longest(user: Any) -> None:
    pairs = start_many(user, LIMIT)
    assert ended(pairs) == []
    pairs.append(sessions.start(user, now=NOW + MINUTE))
    assert ended(pairs) == [0]
    assert Session.objects.live(now=NOW + MINUTE).count() == LIMIT
    with pytest.raises(SessionEnded):
        sessions.refresh(pairs[0].raw_refresh, now=NOW)
    assert DeniedToken.objects.get().reason == "over_limit"


def test_a_session_that_was_refreshed_is_not_the_one_idle_longest(user: Any) -> None:
    pairs = start_many(user, LIMIT)
    sessions.refresh(pairs[0].raw_refresh, now=NOW + MINUTE)
    sessions.start(user, now=NOW + 2 * MINUTE)
    assert ended(pairs) == [1]


def test_the_session_that_begins_is_never_the_one_that_ends(user: Any) -> None:
    """Its host's clock may be behind those that refreshed the others."""
    pairs = [*start_many(user, LIMIT), sessions.start(user, now=NOW - timedelta(hours=1))]
    assert ended(pairs) == [0]


def test_other_users_and_sessions_that_are_over_do_not_count(user: Any) -> None:
    bob = get_user_model().objects.create_user("bob")
    pairs = start_many(user, LIMIT) + start_many(bob, LIMIT)
    sessions.end([pairs[5].session], reason=EndReason.LOGOUT, now=NOW)
    pairs.append(sessions.start(user, now=NOW + MINUTE))
    assert ended(pairs) == []
    pairs.append(sessions.start(user, now=NOW + timedelta(days=15)))
    assert ended(pairs) == []


def test_an_access_token_alone_displaces_no_session(user: Any) -> None:
    pairs = start_many(user, LIMIT)
    for _ in range(3):
        sessions.issue_access_token(user, now=NOW)
    assert ended(pairs) == []


def test_a_limit_of_one_is_kept(user: Any, settings: Any) -> None:
    settings.TOKENS_SESSIONS_PER_USER = 1
    pairs = start_many(user, 3)
    assert ended(pairs) == [0, 1]


def test_zero_is_no_limit(user: Any, settings: Any) -> None:
    settings.TOKENS_SESSIONS_PER_USER = 0
    assert ended(start_many(user, LIMIT + 5)) == []


def test_many_sessions_from_before_the_limit_end_some_at_a_time(
    user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit, "AT_ONCE", 4)
    settings.TOKENS_SESSIONS_PER_USER = 0
    pairs = start_many(user, LIMIT + 6)
    settings.TOKENS_SESSIONS_PER_USER = LIMIT
    sessions.start(user, now=NOW + MINUTE)
    assert len(ended(pairs)) == 4
    sessions.start(user, now=NOW + 2 * MINUTE)
    assert len(ended(pairs)) == 8
    assert Session.objects.live(now=NOW).count() == LIMIT


def test_a_sign_in_that_fails_ends_nothing(user: Any) -> None:
    pairs = start_many(user, LIMIT)

    def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        sessions.start(user, in_transaction=fail, now=NOW)
    assert ended(pairs) == []


@pytest.mark.parametrize("count", [0, LIMIT - limit.SLACK - 1])
def test_far_from_the_limit_a_sign_in_costs_no_further_query(
    user: Any, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    start_many(user, count)
    keyring.signing_key()
    with django_assert_num_queries(
        4
    ):  # to lock and to insert, and the test's savepoint around them
        sessions.start(user, now=NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("most", [1, limit.SLACK])
def test_sign_ins_at_the_same_time_do_not_exceed_the_limit(
    user: Any, settings: Any, most: int
) -> None:
    keyring.ensure()
    settings.TOKENS_SESSIONS_PER_USER = most

    def sign_in(_: int) -> None:
        sessions.start(user)
        connections.close_all()

    with ThreadPoolExecutor(limit.SLACK) as threads:
        list(threads.map(sign_in, range(3 * limit.SLACK)))
    assert Session.objects.filter(ended_at=None).count() == most

"""Many tokens judged at once, against the query of one request."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.tokens.sessions.batched import ACTS, deny_token, judged, of, once_more, sessions_of
from tokens import clock, sessions
from tokens.database import compiled_sql
from tokens.errors import TokenError
from tokens.jose import Claims
from tokens.models import DeniedToken, Session
from tokens.sessions import Accepted, EndReason, Presented, batches

pytestmark = pytest.mark.slow


def found_alone(claims: Claims, now: datetime) -> Session | TokenError:
    try:
        return sessions.judge(claims, now=now)
    except TokenError as error:
        return error


def same_as_one_by_one(tokens: list[Claims], many: list[Presented], now: datetime) -> list[Any]:
    outcomes = judged(many, now)
    for claims, outcome in zip(tokens, outcomes, strict=True):
        alone = found_alone(claims, now)
        if isinstance(alone, TokenError):
            assert (type(outcome), str(outcome)) == (type(alone), str(alone))
        else:
            assert isinstance(outcome, Accepted), outcome
            assert outcome.expires_at == alone.expires_at
    return outcomes


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(ACTS))), max_size=5))
@hypothesis_settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_a_batch_is_judged_as_each_request_would_be(db: None, acts: list[tuple[int, str]]) -> None:
    DeniedToken.objects.all().delete()
    get_user_model()._default_manager.all().delete()
    tokens = sessions_of("ada", "grace", "joan")
    outcomes = same_as_one_by_one(tokens, [Presented(claims) for claims in tokens], clock.now())
    for at, name in acts:
        ACTS[name](tokens[at])
        many = once_more(tokens, outcomes)
        outcomes = same_as_one_by_one(tokens, many, clock.now())


@pytest.mark.parametrize("name", sorted(ACTS))
def test_whatever_changes_is_noticed_the_next_time(tokens: list[Claims], name: str) -> None:
    before = judged([Presented(claims) for claims in tokens])
    ACTS[name](tokens[0])
    same_as_one_by_one(tokens, once_more(tokens, before), clock.now())


def test_the_limit_of_a_session_is_met_although_its_row_is_the_same(tokens: list[Claims]) -> None:
    before = judged([Presented(claims) for claims in tokens])
    many = once_more(tokens, before)
    for passed in (timedelta(0), timedelta(minutes=1)):
        same_as_one_by_one(tokens, many, before[0].expires_at + passed)


def test_a_batch_costs_two_statements_if_nothing_changed(tokens: list[Claims]) -> None:
    before = judged([Presented(claims) for claims in tokens])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert judged(once_more(tokens, before)) == before
    assert len(queries) == 2


def test_batches_are_as_large_as_allowed(
    tokens: list[Claims], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 2)
    before = judged([Presented(claims) for claims in tokens])
    sessions.end(of(tokens[2]), reason=EndReason.LOGOUT)
    with CaptureQueriesContext(connection) as queries:
        first, second, third = judged(once_more(tokens, before))
    assert [first, second] == before[:2]
    assert isinstance(third, TokenError)
    assert len(queries) == 2 + 3
    assert judged([]) == []


def test_what_cannot_be_compiled_goes_through_the_orm(
    tokens: list[Claims], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_sql, "_compiled", {})
    monkeypatch.setattr(compiled_sql, "_make", lambda *args: None)
    before = judged([Presented(claims) for claims in tokens])
    deny_token(tokens[0])
    refused, *rest = same_as_one_by_one(tokens, once_more(tokens, before), clock.now())
    assert isinstance(refused, TokenError)
    assert rest == before[1:]

"""A denied token is refused at once in this process, and within the bound in all others."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.processes import running_site
from tokens import sessions
from tokens.errors import SessionEnded
from tokens.models import Session
from tokens.sessions import TokenPair
from tokens.snapshot.copy import LOOKED_UP_AFTER, Copy

from .denials import (
    EVERY_DENIAL,
    accepts,
    deactivate,
    deny_elsewhere,
    end,
    is_good,
    refusal,
    wait_for_the_bound,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]


@pytest.mark.parametrize("deny", EVERY_DENIAL)
def test_the_process_that_denies_refuses_at_once_and_as_the_strict_mode_does(
    pair: TokenPair, deny: Callable[[TokenPair], None], settings: Any
) -> None:
    deny(pair)
    by_snapshot = refusal(pair)
    settings.TOKENS_DENYLIST_MODE = "strict"
    assert refusal(pair) is by_snapshot


@pytest.mark.parametrize("deny", EVERY_DENIAL)
def test_every_other_process_refuses_within_the_bound(
    pair: TokenPair,
    another: Copy,
    deny: Callable[[TokenPair], None],
    settings: Any,
) -> None:
    claims = sessions.authenticate(pair.raw_access).claims
    assert accepts(another, claims)
    deny(pair)
    wait_for_the_bound(settings)
    assert not accepts(another, claims)


def test_a_denial_elsewhere_is_seen_within_the_bound_and_not_before(
    pair: TokenPair, settings: Any
) -> None:
    Session.objects.update(ended_at=timezone.now(), end_reason="revoked")
    deny_elsewhere(str(pair.session.pk))
    sessions.authenticate(pair.raw_access)
    wait_for_the_bound(settings)
    assert refusal(pair) is SessionEnded


def test_a_denial_by_a_process_that_knows_of_shorter_lives_is_known(
    pair: TokenPair, another: Copy, settings: Any
) -> None:
    """The lifetimes differ while the processes of a site are restarted one after the other."""
    end(pair)
    now, sid = timezone.now(), str(pair.session.pk)
    assert not is_good(another, sid, now=now)
    # The oldest token that is not looked up, after the row's until.
    wait_for_the_bound(settings)
    assert not is_good(another, sid, now=now + LOOKED_UP_AFTER)


def test_one_reading_per_bound_is_two_queries(pair: TokenPair, settings: Any) -> None:
    wait_for_the_bound(settings)
    with CaptureQueriesContext(connection) as captured:
        for _ in range(20):
            sessions.authenticate(pair.raw_access)
    assert len([query for query in captured if "deniedtoken" in query["sql"]]) == 2


def test_a_denial_that_was_rolled_back_refuses_no_token(pair: TokenPair) -> None:
    with transaction.atomic():
        deactivate(pair)
        transaction.set_rollback(True)
    with CaptureQueriesContext(connection) as captured:
        sessions.authenticate(pair.raw_access)
    assert len(captured) == 0


@pytest.mark.slow
def test_every_process_of_a_site_refuses_within_the_bound(user: Any) -> None:
    pair, other = sessions.start(user), sessions.start(user)
    settings_module = "tests.projects.snapshot.settings"
    with running_site(workers=2, DJANGO_SETTINGS_MODULE=settings_module) as site:
        for _ in range(20):
            assert site.get("/who/", pair.raw_access)[0] == 200
        assert site.post("/api/token/revoke/", token=pair.raw_refresh)[0] == 200
        time.sleep(1)
        statuses = {site.get("/who/", pair.raw_access)[0] for _ in range(20)}
        assert statuses == {401}
        assert site.get("/who/", other.raw_access)[0] == 200

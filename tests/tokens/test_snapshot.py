"""The snapshot mode: what it saves, what it holds, and that it is never behind by more than it says."""

import pickle
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.processes import running_site
from tokens import keyring, sessions, snapshot, statement
from tokens.errors import Denied, SessionEnded, TokenError, UserInactive
from tokens.models import DeniedToken, EndReason, Session
from tokens.pairs import TokenPair

BOUND = timedelta(seconds=0.2)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _snapshot_mode(settings: Any) -> None:
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(hours=1)


@pytest.fixture
def pair(transactional_db: None, user: Any) -> TokenPair:
    pair = sessions.start(user)
    sessions.authenticate(pair.raw_access)  # the first one reads
    return pair


def wait_for_the_bound(settings: Any) -> None:
    settings.TOKENS_DENYLIST_MAX_STALENESS = BOUND
    time.sleep(BOUND.total_seconds())


def deny_elsewhere(value: str, **columns: Any) -> None:
    """Deny as another process does: by a row, and nothing else."""
    now = timezone.now()
    until = now + timedelta(minutes=6)
    DeniedToken.objects.create(
        **{"kind": "sid", "reason": "?", "denied_at": now, "until": until, **columns}, value=value
    )


def test_a_request_costs_no_query_and_knows_the_users_key(user: Any, pair: TokenPair) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = sessions.authenticate(pair.raw_access)
        assert found.user.pk == found.user.id == user.pk
        assert found.user.is_authenticated
        assert not found.user.is_anonymous
        assert bool(found.user)
        assert isinstance(found.user, get_user_model())
    assert len(captured) == 0


def test_the_rest_of_the_user_and_the_session_come_by_one_query(user: Any, pair: TokenPair) -> None:
    found = sessions.authenticate(pair.raw_access)
    with CaptureQueriesContext(connection) as captured:
        assert found.user.email == user.email
        assert found.user == user
        assert hash(found.user) == hash(user)
        assert found.user.pk == user.pk
        assert found.session.pk == pair.session.pk
        assert found.user.current_sid == pair.session.pk
        assert pickle.loads(pickle.dumps(found.user)) == user
    assert len(captured) == 1


def test_a_view_that_uses_the_user_sees_what_no_denial_tells(user: Any, pair: TokenPair) -> None:
    get_user_model().objects.update(is_active=False)  # behind the model's back
    found = sessions.authenticate(pair.raw_access)
    with pytest.raises(UserInactive):
        str(found.user)


def test_such_a_view_answers_401(api: APIClient, user: Any, pair: TokenPair) -> None:
    get_user_model().objects.update(is_active=False)
    answer = api.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")


def test_my_own_password_change_keeps_my_session(api: APIClient, user: Any, settings: Any) -> None:
    mine, other = sessions.start(user), sessions.start(user)
    for pair in (mine, other):
        sessions.authenticate(pair.raw_access)
    body = {"current_password": PASSWORD, "new_password": "a rather different sentence"}
    header = f"Bearer {mine.raw_access}"
    assert api.post("/api/me/password/", body, HTTP_AUTHORIZATION=header).status_code == 204
    assert api.get("/api/me/", HTTP_AUTHORIZATION=header).status_code == 200
    with pytest.raises(TokenError):
        sessions.authenticate(other.raw_access)


def end(pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.REVOKED)


def revoke_access(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_access)


def revoke_the_key(pair: TokenPair) -> None:
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))


def deactivate(pair: TokenPair) -> None:
    user = get_user_model().objects.get()
    user.is_active = False
    user.save()


def delete(pair: TokenPair) -> None:
    get_user_model().objects.all().delete()


def change_password(pair: TokenPair) -> None:
    user = get_user_model().objects.get()
    user.set_password("another")
    user.save()


def reuse(pair: TokenPair) -> None:
    now = timezone.now()
    for seconds in (0, 0, 60):
        try:
            sessions.refresh(pair.raw_refresh, now=now + timedelta(seconds=seconds))
        except TokenError:
            return


EVERY_DENIAL = [
    end,
    revoke_access,
    revoke_the_key,
    deactivate,
    delete,
    change_password,
    reuse,
]


def refusal(pair: TokenPair) -> type[TokenError]:
    with pytest.raises(TokenError) as caught:
        sessions.authenticate(pair.raw_access)
    return caught.type


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
    pair: TokenPair, deny: Callable[[TokenPair], None], settings: Any
) -> None:
    other = snapshot.Snapshot()
    ids = sessions.authenticate(pair.raw_access).claims.ids
    assert other.knows_as_good(ids, now=timezone.now())
    deny(pair)
    wait_for_the_bound(settings)
    assert not other.knows_as_good(ids, now=timezone.now())


def test_a_denial_elsewhere_is_seen_within_the_bound_and_not_before(
    pair: TokenPair, settings: Any
) -> None:
    Session.objects.update(ended_at=timezone.now(), end_reason="revoked")
    deny_elsewhere(str(pair.session.pk))
    sessions.authenticate(pair.raw_access)
    wait_for_the_bound(settings)
    assert refusal(pair) is SessionEnded


def test_one_reading_per_bound_is_one_query(pair: TokenPair, settings: Any) -> None:
    wait_for_the_bound(settings)
    with CaptureQueriesContext(connection) as captured:
        for _ in range(20):
            sessions.authenticate(pair.raw_access)
    assert 1 <= len(captured) <= 2


def test_a_row_that_was_committed_late_is_seen_all_the_same(pair: TokenPair, settings: Any) -> None:
    # A number is given when a row is written, and the row is seen when it is committed.
    deny_elsewhere("first", pk=1000)
    deny_elsewhere("quick", pk=1010)
    wait_for_the_bound(settings)
    sessions.authenticate(pair.raw_access)
    deny_elsewhere(str(pair.session.pk), pk=1005)
    wait_for_the_bound(settings)
    assert refusal(pair) is Denied


def test_a_row_below_the_first_one_that_is_seen_can_come_late_too(user: Any, settings: Any) -> None:
    pair = sessions.start(user)
    deny_elsewhere("quick", pk=1010)
    sessions.authenticate(pair.raw_access)
    deny_elsewhere(str(pair.session.pk), pk=1005)
    wait_for_the_bound(settings)
    assert refusal(pair) is Denied


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_transaction_that_is_slow_to_commit_is_waited_for(pair: TokenPair, settings: Any) -> None:
    slow = connection.copy()
    try:
        with slow.cursor() as cursor:
            now = timezone.now()
            cursor.execute("BEGIN")
            cursor.execute(
                "INSERT INTO tokens_deniedtoken (value, kind, reason, denied_at, until) "
                "VALUES (%s, 'sid', '?', %s, %s)",
                [str(pair.session.pk), now, now + timedelta(minutes=6)],
            )
            deny_elsewhere("quick")
            wait_for_the_bound(settings)
            sessions.authenticate(pair.raw_access)
            cursor.execute("COMMIT")
    finally:
        slow.close()
    wait_for_the_bound(settings)
    assert refusal(pair) is Denied


def test_missing_numbers_are_asked_for_no_longer_than_they_matter(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny_elsewhere("far", pk=10_000)
    wait_for_the_bound(settings)
    sessions.authenticate(pair.raw_access)
    held = snapshot._snapshot
    assert [(gap.first, gap.last) for gap in held._gaps][-1][1] == 9_999
    later = time.monotonic() + 3600
    monkeypatch.setattr(snapshot.time, "monotonic", lambda: later)
    sessions.authenticate(pair.raw_access)
    assert held._gaps == []


def test_many_gaps_become_one_that_holds_them_all(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_GAPS", 3)
    for pk in range(1000, 1020, 2):
        deny_elsewhere(f"value {pk}", pk=pk)
    wait_for_the_bound(settings)
    sessions.authenticate(pair.raw_access)
    (gap,) = snapshot._snapshot._gaps
    assert gap.last == 1017
    deny_elsewhere(str(pair.session.pk), pk=1007)
    wait_for_the_bound(settings)
    assert refusal(pair) is Denied


@given(st.integers(1, 40), st.integers(0, 40), st.sets(st.integers(1, 80)))
def test_missing_yields_exactly_what_is_not_there(first: int, more: int, there: set[int]) -> None:
    last = first + more
    ranges = list(snapshot.missing(first, last, sorted(there)))
    yielded = [number for a, b in ranges for number in range(a, b + 1)]
    assert yielded == [number for number in range(first, last + 1) if number not in there]


def test_a_denial_that_was_rolled_back_refuses_nobody(pair: TokenPair) -> None:
    with transaction.atomic():
        end(pair)
        transaction.set_rollback(True)
    with CaptureQueriesContext(connection) as captured:
        sessions.authenticate(pair.raw_access)
    assert len(captured) == 0


def test_what_no_longer_matters_is_let_go(pair: TokenPair, settings: Any) -> None:
    end(pair)
    wait_for_the_bound(settings)
    held = snapshot.Snapshot()
    held.knows_as_good([], now=timezone.now())
    assert len(held) == 1
    held._swept_at = -1e9
    time.sleep(BOUND.total_seconds())
    held.knows_as_good([], now=timezone.now() + timedelta(minutes=7))
    assert len(held) == 0


def test_a_hundred_thousand_denials_in_one_access_life(pair: TokenPair, settings: Any) -> None:
    now = timezone.now()
    DeniedToken.objects.bulk_create(
        [
            DeniedToken(
                value=f"v{i}", kind="sid", reason="?", denied_at=now, until=now + BOUND * 900
            )
            for i in range(100_000)
        ],
        batch_size=5000,
    )
    wait_for_the_bound(settings)
    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(seconds=5)
    snapshot.forget()
    sessions.authenticate(pair.raw_access)
    assert len(snapshot._snapshot) == 100_000
    deny_elsewhere(str(pair.session.pk))
    snapshot._snapshot._read_at = 0.0
    with CaptureQueriesContext(connection) as captured:
        assert refusal(pair) is Denied
    # The reading brought the one row that is new; the other query told the reason.
    assert len(captured) == 2
    assert len(snapshot._snapshot) == 100_001


def test_a_token_of_a_longer_life_than_now_is_looked_up(user: Any, settings: Any) -> None:
    settings.TOKENS_ACCESS_LIFETIME = timedelta(hours=1)
    pair = sessions.start(user)
    settings.TOKENS_ACCESS_LIFETIME = timedelta(minutes=5)
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            sessions.authenticate(pair.raw_access)
        assert len([q for q in captured if "denied" in q["sql"]]) == 1


def test_a_reading_that_fails_leaves_it_to_the_strict_look(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(snapshot.Snapshot, "_read", fail)
    wait_for_the_bound(settings)
    with CaptureQueriesContext(connection) as captured:
        assert sessions.authenticate(pair.raw_access).user.email
    assert len(captured) == 1
    end(pair)
    assert refusal(pair) is SessionEnded


def test_a_reading_that_takes_longer_than_the_bound_is_no_verdict(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_gaps = snapshot.Snapshot._close_gaps

    def slowly(self: snapshot.Snapshot, numbers: list[int]) -> None:
        close_gaps(self, numbers)
        time.sleep(BOUND.total_seconds() * 1.5)

    monkeypatch.setattr(snapshot.Snapshot, "_close_gaps", slowly)
    wait_for_the_bound(settings)
    assert not snapshot.knows_as_good([], now=timezone.now())


def test_who_waits_for_anothers_reading_waits_no_longer_than_the_bound(
    pair: TokenPair, settings: Any
) -> None:
    wait_for_the_bound(settings)
    with snapshot._snapshot._lock:
        began = time.monotonic()
        assert not snapshot.knows_as_good([], now=timezone.now())
        assert time.monotonic() - began < 10 * BOUND.total_seconds()


def test_without_the_database_the_answer_is_503(
    api: APIClient, pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(snapshot.Snapshot, "_read", fail)
    monkeypatch.setattr(statement.Statement, "fetch_row", fail)
    wait_for_the_bound(settings)
    with pytest.raises(OperationalError):
        sessions.authenticate(pair.raw_access)
    answer = api.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert answer.status_code == 503
    assert answer["Retry-After"]


def test_a_transaction_that_sees_the_past_brings_nothing_up_to_date(
    pair: TokenPair, settings: Any
) -> None:
    wait_for_the_bound(settings)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            assert snapshot.knows_as_good([], now=timezone.now())
        else:
            assert not snapshot.knows_as_good([], now=timezone.now())


def test_threads_read_once_and_agree(pair: TokenPair, settings: Any) -> None:
    wait_for_the_bound(settings)
    deny_elsewhere("other")
    answers: list[bool] = []

    def ask() -> None:
        for _ in range(50):
            answers.append(snapshot.knows_as_good(["unknown"], now=timezone.now()))
            answers.append(not snapshot.knows_as_good(["other"], now=timezone.now()))
        connection.close()

    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(seconds=30)
    snapshot._snapshot._read_at = None
    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answers)
    assert len(answers) == 400


def test_every_process_of_a_site_refuses_within_the_bound(user: Any) -> None:
    pair, other = sessions.start(user), sessions.start(user)
    settings_module = "tests.snapshot_settings"
    with running_site(workers=2, DJANGO_SETTINGS_MODULE=settings_module) as site:
        for _ in range(20):
            assert site.get("/api/me/", pair.raw_access)[0] == 200
        assert site.post("/api/token/revoke/", token=pair.raw_refresh)[0] == 200
        time.sleep(1)
        statuses = {site.get("/api/me/", pair.raw_access)[0] for _ in range(20)}
        assert statuses == {401}
        assert site.get("/api/me/", other.raw_access)[0] == 200

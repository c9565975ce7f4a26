"""Each metric moves when what it counts happens, through the API or the functions it calls."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.support.grace import rotate_twice
from tokens import clock, denylist, keyring, sessions, signals, watching
from tokens.metrics import counting
from tokens.models import DeniedToken, EndReason, PruneRun
from tokens.operations import pruning

from .conftest import Samples, increases
from .site import TOKENS_METRICS_TOKEN as TOKEN

pytestmark = pytest.mark.django_db(transaction=True)

Scrape = Callable[[], Samples]


def test_sign_ins_are_counted_by_outcome(
    api: APIClient, user: Any, settings: Any, scrape: Scrape
) -> None:
    before = scrape()
    right = {"username": "ada", "password": PASSWORD}
    assert api.post("/api/token/", right).status_code == 200
    assert api.post("/api/token/", {**right, "password": "wrong"}).status_code == 401
    settings.TOKENS_LOGIN_THROTTLE = "1/day"
    assert api.post("/api/token/", {**right, "password": "wrong"}).status_code == 401
    assert api.post("/api/token/", right).status_code == 429
    assert increases(before, scrape()) == {
        "latchkey_sign_ins_total{ok}": 1,
        "latchkey_sign_ins_total{wrong}": 2,
        "latchkey_sign_ins_total{limited}": 1,
        "latchkey_sessions_started_total": 1,
    }


def test_passwords_that_a_busy_process_does_not_check_are_counted(scrape: Scrape) -> None:
    before = scrape()
    signals.log("password_not_checked", at_once=2)
    assert increases(before, scrape()) == {"latchkey_sign_ins_total{busy}": 1}


def test_refreshes_are_counted_by_outcome(
    api: APIClient, signed_in: dict[str, Any], settings: Any, scrape: Scrape
) -> None:
    before = scrape()

    def refresh(raw_refresh: str) -> Any:
        return api.post("/api/token/refresh/", {"refresh": raw_refresh})

    second = refresh(signed_in["refresh"]).json()
    assert refresh(signed_in["refresh"]).status_code == 200
    assert refresh("junk").status_code == 401
    settings.TOKENS_REFRESH_THROTTLE = "1/day"
    assert [refresh(second["refresh"]).status_code for _ in range(2)] == [200, 429]
    assert increases(before, scrape()) == {
        "latchkey_refreshes_total{rotated}": 1,
        "latchkey_refreshes_total{repeated}": 2,
        "latchkey_refreshes_total{refused}": 1,
        "latchkey_refreshes_total{limited}": 1,
        "latchkey_refusals_total{body,Malformed}": 1,
    }


def test_a_refresh_that_the_server_fails_is_counted(
    signed_in: dict[str, Any], scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    before = scrape()
    monkeypatch.setattr("tokens.sessions.query.find", fail)
    with pytest.raises(DatabaseError):
        sessions.refresh(signed_in["refresh"])
    assert increases(before, scrape()) == {"latchkey_refreshes_total{failed}": 1}


def test_reuse_is_counted_with_what_it_ends_and_denies(
    api: APIClient, user: Any, scrape: Scrape
) -> None:
    first = sessions.start(user)
    third = rotate_twice(first)
    before = scrape()
    answer = api.post("/api/token/refresh/", {"refresh": first.raw_refresh})
    assert answer.status_code == 401
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {third.raw_access}")
    assert api.get("/api/me/").status_code == 401
    assert increases(before, scrape()) == {
        "latchkey_refreshes_total{reuse}": 1,
        "latchkey_reuses_total": 1,
        "latchkey_sessions_ended_total{reuse}": 1,
        "latchkey_denials_total{sid}": 1,
        "latchkey_refusals_total{body,RefreshTokenReused}": 1,
        "latchkey_refusals_total{request,SessionEnded}": 1,
    }


def test_a_superseded_token_from_elsewhere_is_counted(
    api: APIClient, signed_in: dict[str, Any], scrape: Scrape
) -> None:
    api.post("/api/token/refresh/", {"refresh": signed_in["refresh"]})
    before = scrape()
    thief = APIClient(REMOTE_ADDR="198.51.100.7", HTTP_USER_AGENT="another")
    thief.post("/api/token/refresh/", {"refresh": signed_in["refresh"]})
    assert increases(before, scrape()) == {
        "latchkey_refreshes_total{repeated}": 1,
        "latchkey_repeats_elsewhere_total": 1,
    }


def test_revocations_are_counted_by_kind_and_reason(
    api: APIClient, user: Any, scrape: Scrape
) -> None:
    one, other = sessions.start(user), sessions.start(user)
    began = time.time()
    before = scrape()
    api.post("/api/token/revoke/", {"token": one.raw_access})
    api.post("/api/token/revoke/", {"token": other.raw_refresh})
    api.post("/api/token/revoke/", {"token": "junk"})
    sessions.revoke_everything(note="a test")
    now = clock.now()
    denylist.deny(
        [("kid", None)], kind=DeniedToken.Kind.KEY, reason="", until=now + timedelta(hours=1)
    )
    after = scrape()
    assert increases(before, after) == {
        "latchkey_denials_total{jti}": 1,
        "latchkey_denials_total{sid}": 1,
        "latchkey_denials_total{kid}": 1,
        "latchkey_denials_total{cut}": 1,
        "latchkey_sessions_ended_total{logout}": 1,
        "latchkey_refusals_total{revocation,Malformed}": 1,
    }
    assert began <= after["latchkey_denial_timestamp_seconds"] <= time.time()


def test_many_sessions_that_end_at_once_are_all_counted(
    user: Any, scrape: Scrape, settings: Any
) -> None:
    settings.TOKENS_SESSIONS_PER_USER = 0
    for _ in range(102):
        sessions.start(user)
    before = scrape()
    sessions.end_all(user, reason=EndReason.REVOKED, note="a test")
    assert increases(before, scrape())["latchkey_sessions_ended_total{revoked}"] == 102


@pytest.mark.parametrize("event", counting.FAILED)
def test_failures_of_the_server_are_counted(event: str, scrape: Scrape) -> None:
    before = scrape()
    signals.log(event)
    assert increases(before, scrape()) == {
        f"latchkey_failures_total{{{counting.FAILED[event]}}}": 1
    }


def test_the_signing_keys_time_follows_a_rotation(user: Any, scrape: Scrape) -> None:
    name = "latchkey_signing_key_timestamp_seconds"
    keyring.ensure()
    sessions.start(user)
    now = clock.now() + timedelta(days=1)
    keyring.rotate(keyring.plan_rotation(now=now), now=now)
    sessions.start(user)
    assert scrape()[name] == pytest.approx(now.timestamp(), abs=0.001)


def test_a_key_ring_without_a_signing_key_moves_nothing(scrape: Scrape) -> None:
    before = scrape()
    watching.tell("key_ring_read", {"signs_since": None})
    assert scrape() == before


def test_the_last_pruning_is_that_of_any_process(user: Any, scrape: Scrape) -> None:
    name = "latchkey_prune_timestamp_seconds"
    at = clock.now() - timedelta(days=3)
    PruneRun.objects.create(started_at=at, finished_at=at, complete=True)
    pair = sessions.start(user)
    assert scrape()[name] == pytest.approx(at.timestamp(), abs=0.001)
    # Within a minute, it is not asked for again.
    PruneRun.objects.update(finished_at=at + timedelta(days=1))
    sessions.refresh(pair.raw_refresh)
    assert scrape()[name] == pytest.approx(at.timestamp(), abs=0.001)


def test_a_pruning_of_this_process_counts_if_nothing_was_left(scrape: Scrape) -> None:
    name = "latchkey_prune_timestamp_seconds"
    began = time.time()
    pruning.prune()
    at = scrape()[name]
    assert began <= at <= time.time()
    signals.log("pruned", complete=False)
    assert scrape()[name] == at


def test_a_database_that_fails_delays_no_sign_in(
    monkeypatch: pytest.MonkeyPatch, metrics: None, caplog: Any
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(PruneRun.objects, "filter", fail)
    signals.log("session_started")
    assert "a listener failed" not in caplog.text


def test_readings_of_the_snapshot_are_counted_and_dated(
    user: Any, settings: Any, scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "latchkey_snapshot_timestamp_seconds"
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    pair = sessions.start(user)
    before, began = scrape(), time.time()
    sessions.authenticate(pair.raw_access)
    first = scrape()
    assert increases(before, first) == {"latchkey_snapshot_readings_total{anew}": 1}
    assert began - 0.1 <= first[name] <= time.time()
    elapsed = clock.elapsed
    monkeypatch.setattr(clock, "elapsed", lambda: elapsed() + 2)
    sessions.authenticate(pair.raw_access)
    second = scrape()
    assert increases(first, second) == {"latchkey_snapshot_readings_total{proven}": 1}
    assert second[name] >= first[name]


def test_readings_of_the_snapshot_that_fail_are_counted(
    user: Any, settings: Any, scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    settings.TOKENS_DENYLIST_MODE = "snapshot"
    pair = sessions.start(user)
    before = scrape()
    monkeypatch.setattr("tokens.snapshot.copy.Copy._read", fail)
    sessions.authenticate(pair.raw_access).user.is_active  # noqa: B018  # Runs strict mode's query.
    assert increases(before, scrape()) == {"latchkey_snapshot_readings_total{failed}": 1}


def test_reading_the_metrics_runs_no_query(
    metrics: None, user: Any, django_assert_num_queries: Any
) -> None:
    sessions.start(user)
    client = Client()
    with django_assert_num_queries(0):
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


def test_no_label_names_a_user_an_address_or_a_token(
    signed_in: dict[str, Any], user: Any, scrape: Scrape
) -> None:
    api = APIClient(REMOTE_ADDR="198.51.100.7", HTTP_USER_AGENT="another")
    api.post("/api/token/refresh/", {"refresh": signed_in["refresh"]})
    api.post("/api/token/", {"username": "ada", "password": "wrong"})
    count = len(scrape())
    api.post("/api/token/", {"username": "bob", "password": "wrong"})
    api.post("/api/token/refresh/", {"refresh": signed_in["refresh"] + "x"})
    page = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
    for word in ("198.51.100.7", "ada", "bob", str(user.pk), signed_in["refresh"]):
        assert word not in page
    assert len(scrape()) == count

"""A cache that patches the ORM changes no decision about a token."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractUser
from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.support import orm_caches
from tests.support.hiding import hide_users
from tokens import denylist, keyring, sessions
from tokens.errors import (
    Denied,
    PasswordChanged,
    RefreshTokenReused,
    SessionEnded,
    TooManyAttempts,
    UserGone,
)
from tokens.jose import Claims
from tokens.limits import counts
from tokens.models import EndReason, Session, SigningKey, fetch_uncached
from tokens.operations import revocation
from tokens.sessions import TokenPair, eligibility, receivers, refreshing, seen

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEVELS = {
    "methods": [orm_caches.cache_querysets],
    "sql": [orm_caches.cache_sql],
    "both": [orm_caches.cache_querysets, orm_caches.cache_sql],
}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, params=LEVELS)
def _caches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, user: Any) -> None:
    for install in LEVELS[request.param]:
        install(monkeypatch)


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user, now=NOW)


def claims_of(pair: TokenPair, *, now: datetime = NOW) -> Claims:
    return sessions.read_claims(pair.raw_access, now=now)


def execute(sql: str, *parameters: Any) -> None:
    """Change rows as another process does: without a call into this one."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def test_the_stand_ins_return_what_was_read_before() -> None:
    users: QuerySet[Any] = get_user_model()._default_manager.all()
    assert [user.first_name for user in users.all()] == [""]
    assert users.get(username="ada").first_name == ""
    assert not users.filter(first_name="Ada").exists()
    execute("UPDATE accounts_user SET first_name = 'Ada'")
    assert [user.first_name for user in users.all()] == [""]
    assert users.get(username="ada").first_name == ""
    assert not users.filter(first_name="Ada").exists()
    assert [user.first_name for user in fetch_uncached(users)] == ["Ada"]
    assert fetch_uncached(Session.objects.all()) == []


def test_every_read_of_the_apps_rows_asks_the_database(pair: TokenPair) -> None:
    session = pair.session

    def reads() -> list[Any]:
        rows = Session.objects.filter(pk=session.pk)
        session.refresh_from_db()
        deferred = rows.only("pk").get()
        return [
            [row.kid for row in rows],
            [row.kid for row in rows.iterator()],
            list(rows.values_list("kid", flat=True)),
            rows.get().kid,
            rows[0].kid,
            getattr(rows.first(), "kid", None),
            getattr(rows.last(), "kid", None),
            deferred.kid,
            session.kid,
            rows.filter(kid="another").exists(),
            rows.filter(kid="another").count(),
            rows.filter(kid="another").aggregate(n=Count("*")),
            rows.in_bulk()[session.pk].kid,
            [row.kid for row in session.user.token_sessions.all()],
            "another" in rows.values_list("kid", flat=True),
        ]

    before = reads()
    execute("UPDATE tokens_session SET kid = 'another'")
    after = reads()
    assert [one for one, other in zip(before, after, strict=True) if one == other] == []


def test_a_second_race_within_one_session_is_no_reuse(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing_key = keyring.signing_key
    for rotation in range(3):
        now = NOW + rotation * MINUTE
        won: list[TokenPair] = []

        def hesitate(raw_refresh: str, now: datetime, won: list[TokenPair], **how: Any) -> Any:
            monkeypatch.setattr(keyring, "signing_key", signing_key)
            won.append(sessions.refresh(raw_refresh, now=now))
            return signing_key(**how)

        raw_refresh = pair.raw_refresh
        monkeypatch.setattr(
            keyring,
            "signing_key",
            lambda how=(raw_refresh, now, won), **more: hesitate(*how, **more),
        )
        lost = sessions.refresh(raw_refresh, now=now)
        assert (lost.raw_access, lost.raw_refresh) == (won[0].raw_access, won[0].raw_refresh)
        sessions.authenticate(lost.raw_access, now=now)
        seen.flush()
        pair = lost
    assert Session.objects.get().generation == 3


def test_a_race_costs_one_query_more(pair: TokenPair, monkeypatch: pytest.MonkeyPatch) -> None:
    def another_was_first(*_: Any) -> bool:
        Session.objects.update(generation=1, refreshed_at=NOW)
        return False

    sessions.authenticate(pair.raw_access, now=NOW)
    monkeypatch.setattr(refreshing, "_rotate", another_was_first)
    with CaptureQueriesContext(connection) as captured:
        sessions.refresh(pair.raw_refresh, now=NOW)
    verbs = [query["sql"].split()[0] for query in captured]
    # The query, the other's update, the query again, and the count of the repeat.
    assert verbs == ["SELECT", "UPDATE", "SELECT", "UPDATE"]


def test_what_goes_through_the_orm_is_refused_on_the_next_request(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_users(monkeypatch, first_name="deleted")
    sessions.authenticate(pair.raw_access, now=NOW)
    sessions.revoke(pair.raw_access, now=NOW)
    with pytest.raises(Denied):
        sessions.authenticate(pair.raw_access, now=NOW)
    execute("DELETE FROM tokens_deniedtoken")
    sessions.authenticate(pair.raw_access, now=NOW)
    execute("UPDATE accounts_user SET first_name = 'deleted'")
    with pytest.raises(UserGone):
        sessions.authenticate(pair.raw_access, now=NOW)


def test_a_denial_is_seen_at_once(pair: TokenPair) -> None:
    claims = claims_of(pair)
    assert not denylist.is_denied(claims)
    assert denylist.find(claims.ids) == []
    sessions.revoke(pair.raw_access, now=NOW)
    assert denylist.is_denied(claims)
    assert [row.value for row in denylist.find(claims.ids)] == [claims.jti]


def test_a_sign_in_knows_the_password_and_the_state_of_the_moment(user: Any) -> None:
    def as_stored() -> Any:
        return get_user_model()._default_manager.get(username="ada")

    known = as_stored()
    sessions.start(known)
    execute("UPDATE accounts_user SET password = %s", make_password("another"))
    with pytest.raises(PasswordChanged):
        sessions.start(as_stored())
    execute("DELETE FROM tokens_session")
    execute("DELETE FROM accounts_user")
    with pytest.raises(UserGone), transaction.atomic():
        eligibility.lock(known)


@pytest.mark.slow
def test_sign_ins_that_store_a_better_hash_of_the_password_all_stand(
    user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_user_model(), "check_password", AbstractUser.check_password)
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
    outdated = make_password(PASSWORD, hasher="pbkdf2_sha256")
    execute("UPDATE accounts_user SET password = %s", outdated)
    # From the cache, each of them has the old hash.
    loaded = [get_user_model()._default_manager.get(pk=user.pk) for _ in range(3)]
    pairs = []
    for each in loaded:
        with receivers.password_attempt(PASSWORD):
            assert each.check_password(PASSWORD)
        assert not receivers.was_outdated(each)
        pairs.append(sessions.start(each, now=NOW))
    for pair in pairs:
        sessions.authenticate(pair.raw_access, now=NOW)


def test_the_key_ring_is_the_tables(pair: TokenPair) -> None:
    for _ in range(2):
        keyring.forget()
        former = keyring.signing_key().kid
        plan = keyring.plan_rotation(now=NOW)
        assert plan.former == former
        keyring.rotate(plan, now=NOW)
        keyring.forget()
        assert keyring.signing_key().kid == plan.successor
        execute("UPDATE tokens_signingkey SET retired_at = signs_since WHERE state = 'retired'")
        execute(
            "UPDATE tokens_signingkey SET retired_at = %s WHERE state = 'retired'",
            SigningKey._meta.get_field("retired_at").get_db_prep_save(NOW - MINUTE, connection),
        )


def test_every_session_of_a_user_ends_each_time(user: Any) -> None:
    for number in range(1, 4):
        pairs = [sessions.start(user, now=NOW) for _ in range(number)]
        assert sessions.end_all(user, reason=EndReason.LOGOUT, now=NOW) == number
        for pair in pairs:
            with pytest.raises(SessionEnded):
                sessions.authenticate(pair.raw_access, now=NOW)


def test_staff_revokes_what_was_not_there_before(user: Any) -> None:
    pair = sessions.start(user, now=NOW)
    sid, claims = pair.session.pk, claims_of(pair)
    row = Session.objects.filter(pk=sid).values().get()
    execute("DELETE FROM tokens_session")
    with pytest.raises(revocation.UnknownTarget):
        revocation.of_session(sid)
    with pytest.raises(revocation.UnknownTarget):
        revocation.of_token(claims.jti)
    Session.objects.create(**row)
    assert revocation.carry_out(revocation.of_token(claims.jti), note="?", now=NOW) == 1
    assert revocation.carry_out(revocation.of_session(sid), note="?", now=NOW) == 1
    with pytest.raises(revocation.UnknownTarget):
        revocation.of_user("bob")
    execute("UPDATE accounts_user SET username = 'bob'")
    revocation.of_user("bob")


def test_a_user_ends_a_session_that_was_not_there_before(api: APIClient, user: Any) -> None:
    own, other = sessions.start(user), sessions.start(user)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {own.raw_access}")
    row = Session.objects.filter(pk=other.session.pk).values().get()
    Session.objects.filter(pk=other.session.pk).delete()
    assert api.delete(f"/api/sessions/{other.session.pk}/").status_code == 404
    assert len(api.get("/api/sessions/").json()["results"]) == 1
    Session.objects.create(**row)
    assert len(api.get("/api/sessions/").json()["results"]) == 2
    assert api.delete(f"/api/sessions/{other.session.pk}/").status_code == 204


def test_a_limit_is_over_when_it_is_over() -> None:
    charge = counts.Charge("login 192.0.2.1", counts.Rate(1, 60))
    assert counts.waits([charge], now=NOW) == {}
    counts.take([charge], now=NOW)
    assert counts.waits([charge], now=NOW)
    with pytest.raises(TooManyAttempts):
        counts.take([charge], now=NOW)
    counts.give_back([charge])
    assert counts.waits([charge], now=NOW) == {}


def test_a_reuse_is_still_a_reuse(pair: TokenPair) -> None:
    successor = sessions.refresh(pair.raw_refresh, now=NOW)
    sessions.authenticate(successor.raw_access, now=NOW)
    seen.flush()
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, now=NOW + 2 * MINUTE)

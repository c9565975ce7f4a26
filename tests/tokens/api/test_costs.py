"""The number of queries that each kind of HTTP request costs."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import sessions
from tokens.models import Session


def queries(call: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert call().status_code == 200
    statements = [query["sql"] for query in captured.captured_queries]
    # Whoever signs reads the key ring again when it is a second old, as on a slow machine.
    extra = ("SAVEPOINT", "tokens_signingkey")
    return [sql for sql in statements if not any(word in sql for word in extra)]


def test_an_authenticated_request_costs_one_query(
    api: APIClient, signed_in: dict[str, Any]
) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_in['access']}")
    assert len(queries(lambda: api.get("/api/me/"))) == 1


def test_a_request_by_cookie_costs_one_query(api: APIClient, signed_in: dict[str, Any]) -> None:
    api.cookies["latchkey_access"] = signed_in["access"]
    assert len(queries(lambda: api.get("/api/me/"))) == 1


def test_a_refresh_by_cookie_costs_two_queries(api: APIClient, signed_in: dict[str, Any]) -> None:
    api.cookies["latchkey_refresh"] = signed_in["refresh"]
    assert len(queries(lambda: api.post("/api/token/cookie/refresh/"))) == 2


@pytest.mark.parametrize("throttle", ["", "1000000/day"])
def test_a_refresh_costs_two_queries(
    api: APIClient, signed_in: dict[str, Any], settings: Any, throttle: str
) -> None:
    settings.TOKENS_REFRESH_THROTTLE = throttle
    refresh = {"refresh": signed_in["refresh"]}
    assert len(queries(lambda: api.post("/api/token/refresh/", refresh))) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("throttle", "steps"),
    [
        ("", "SELECT BEGIN SELECT INSERT COMMIT UPDATE"),
        (
            "1000/min",
            "SELECT INSERT SELECT BEGIN INSERT SELECT INSERT COMMIT UPDATE",
        ),
    ],
)
def test_a_sign_in_counts_on_both_limits_at_once_and_commits_three_times(
    api: APIClient, signed_in: dict[str, Any], settings: Any, throttle: str, steps: str
) -> None:
    """Read limits, count on both; read the user; give back, and insert the session; last_login."""
    settings.TOKENS_LOGIN_THROTTLE = throttle
    body = {"username": "ada", "password": PASSWORD}
    if throttle:
        # The first of a day is noted as one from this network.
        assert api.post("/api/token/", body).status_code == 200
    statements = queries(lambda: api.post("/api/token/", body))
    assert [sql.split()[0] for sql in statements] == steps.split()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's HOT updates")
@pytest.mark.django_db(transaction=True)
def test_a_rotation_touches_no_index(user: Any) -> None:
    """Otherwise each refresh would leave dead entries in every index of the table."""
    now = timezone.now()
    raw_refresh = sessions.start(user, now=now).raw_refresh
    before = updates_of_sessions()
    for number in range(50):
        at = now + timedelta(minutes=number)
        raw_refresh = sessions.refresh(raw_refresh, now=at).raw_refresh
    updated, without_index = (
        after - at_first for after, at_first in zip(updates_of_sessions(), before, strict=True)
    )
    assert updated == 50
    # An update in a full page moves the row to another page, and then updates every index.
    assert without_index >= 45


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's HOT updates")
@pytest.mark.django_db(transaction=True)
def test_a_first_rotation_finds_room_in_its_own_page(user: Any) -> None:
    """Without free space in its pages, each row of a full page would move to another page."""
    made = sessions.start(user).session
    columns = {field.attname: getattr(made, field.attname) for field in Session._meta.fields}
    rows = [Session(**columns | {"id": uuid4()}) for _ in range(2000)]
    Session.objects.bulk_create(rows)
    updated, without_index = updates_of_sessions()
    for row in rows[::20]:
        Session.objects.filter(pk=row.pk).update(generation=1)
    after, without_index_after = updates_of_sessions()
    assert after - updated == 100
    assert without_index_after - without_index >= 95


def updates_of_sessions() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables "
            "WHERE relname = 'tokens_session'"
        )
        updated, without_index = cursor.fetchone()
    return int(updated), int(without_index)

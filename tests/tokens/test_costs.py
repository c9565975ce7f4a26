"""What a request costs in queries, counted at the HTTP door."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.conftest import PASSWORD


def queries(call: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert call().status_code == 200
    statements = [query["sql"] for query in captured.captured_queries]
    return [sql for sql in statements if "SAVEPOINT" not in sql]


def test_an_authenticated_request_costs_one_query(
    api: APIClient, signed_in: dict[str, Any]
) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_in['access']}")
    assert len(queries(lambda: api.get("/api/me/"))) == 1


@pytest.mark.parametrize("throttle", ["", "1000000/day"])
def test_a_refresh_costs_two_queries(
    api: APIClient, signed_in: dict[str, Any], settings: Any, throttle: str
) -> None:
    settings.TOKENS_REFRESH_THROTTLE = throttle
    refresh = {"refresh": signed_in["refresh"]}
    assert len(queries(lambda: api.post("/api/token/refresh/", refresh))) == 2


@pytest.mark.parametrize(("throttle", "reads", "writes"), [("", 1, 2), ("1000/min", 2, 6)])
def test_a_sign_in_looks_at_its_limits_once_and_counts_on_both(
    api: APIClient,
    signed_in: dict[str, Any],
    settings: Any,
    throttle: str,
    reads: int,
    writes: int,
) -> None:
    """The user and the limits are read; the session, last_login and, twice, two counts written."""
    settings.TOKENS_LOGIN_THROTTLE = throttle
    body = {"username": "ada", "password": PASSWORD}
    statements = queries(lambda: api.post("/api/token/", body))
    read = [sql for sql in statements if sql.startswith("SELECT")]
    assert (len(read), len(statements) - len(read)) == (reads, writes)

"""The tests of a project under pytest-django, with every kind of database that it has."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from rest_framework.test import APIClient

from tokens import sessions
from tokens.models import SigningKey
from tokens.testing import FrozenClock, TokenClient, ensure_signing_key


@pytest.fixture(
    params=[
        pytest.param("transaction", marks=pytest.mark.django_db),
        pytest.param("flushed", marks=pytest.mark.django_db(transaction=True)),
        pytest.param("sequences", marks=pytest.mark.django_db(reset_sequences=True)),
        pytest.param(
            "restored",
            marks=pytest.mark.django_db(transaction=True, serialized_rollback=True),
        ),
    ]
)
def user() -> Any:
    return get_user_model().objects.create_user("ada", "ada@example.org", "a password")


@pytest.mark.parametrize("_again", range(2))
def test_a_user_signs_in_and_signs_out(
    user: Any, sign_in: Callable[..., TokenClient], _again: int
) -> None:
    client = sign_in(user, claims={"tenant": "blue"})
    assert client.get("/reports/").json() == {"user": "ada", "tenant": "blue"}
    client.sign_out()
    assert client.get("/reports/").status_code == 401


@pytest.mark.parametrize("_again", range(2))
def test_a_revoked_session_is_refused_on_the_next_request(
    user: Any, token_client: TokenClient, _again: int
) -> None:
    pair = token_client.sign_in(user)
    assert token_client.get("/reports/").status_code == 200
    answer = APIClient().post("/api/token/revoke/", {"token": pair.raw_refresh})
    assert answer.status_code == 200
    assert token_client.get("/reports/").status_code == 401


def test_a_request_takes_one_query(
    user: Any, token_client: TokenClient, django_assert_num_queries: Any, settings: Any
) -> None:
    token_client.sign_in(user)
    token_client.get("/reports/")
    in_memory = settings.TOKENS_DENYLIST_MODE == "snapshot" and not connection.in_atomic_block
    if not in_memory:
        with django_assert_num_queries(1):
            token_client.get("/reports/")


def test_a_password_is_accepted_over_http(user: Any) -> None:
    ensure_signing_key()
    answer = APIClient().post("/api/token/", {"username": "ada", "password": "a password"})
    assert answer.status_code == 200


def test_reuse_ends_the_session(user: Any, token_client: TokenClient) -> None:
    stolen = token_client.sign_in(user).raw_refresh
    token_client.refresh()
    assert token_client.get("/reports/").status_code == 200
    token_client.age(timedelta(minutes=1))
    answer = APIClient().post("/api/token/refresh/", {"refresh": stolen})
    assert answer.status_code == 401
    assert token_client.get("/reports/").status_code == 401


def test_time_passes(user: Any, token_client: TokenClient, frozen_clock: FrozenClock) -> None:
    token_client.sign_in(user)
    frozen_clock.shift(timedelta(minutes=6))
    assert token_client.get("/reports/").status_code == 401
    token_client.refresh()
    assert token_client.get("/reports/").status_code == 200


@pytest.mark.parametrize("_again", range(2))
def test_what_another_test_signed_is_not_remembered(user: Any, _again: int) -> None:
    ensure_signing_key()
    kid = sessions.start(user).session.kid
    assert SigningKey.objects.filter(kid=kid).exists()

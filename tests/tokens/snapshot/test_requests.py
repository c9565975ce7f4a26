"""In snapshot mode a request costs no query until it uses more than the primary key of the user."""

import pickle
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.views import APIView, exception_handler

from tokens import sessions
from tokens.errors import UserInactive
from tokens.models import Session
from tokens.sessions import TokenPair

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]


def test_a_request_costs_no_query_and_knows_the_users_key(user: Any, pair: TokenPair) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = sessions.authenticate(pair.raw_access)
        assert found.user.pk == found.user.id == user.pk
        assert found.user.is_authenticated
        assert not found.user.is_anonymous
        assert bool(found.user)
        assert isinstance(found.user, get_user_model())
    assert len(captured) == 0


def test_a_gateway_is_answered_without_a_query(api: APIClient, user: Any, pair: TokenPair) -> None:
    with CaptureQueriesContext(connection) as captured:
        answer = api.get("/api/token/check/", HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert (answer.status_code, answer["X-Auth-Request-User"]) == (204, str(user.pk))
    assert len(captured) == 0


def test_the_rest_of_the_user_and_the_session_come_by_one_query(user: Any, pair: TokenPair) -> None:
    found = sessions.authenticate(pair.raw_access)
    with CaptureQueriesContext(connection) as captured:
        assert found.user.email == user.email
        assert found.user == user
        assert hash(found.user) == hash(user)
        assert found.user.pk == user.pk
        assert found.session.pk == pair.session.pk
        assert pickle.loads(pickle.dumps(found.user)) == user
    assert len(captured) == 1


def test_a_view_that_uses_the_user_sees_what_no_denial_tells(user: Any, pair: TokenPair) -> None:
    get_user_model().objects.update(is_active=False)  # This writes no denial.
    found = sessions.authenticate(pair.raw_access)
    with pytest.raises(UserInactive):
        str(found.user)


def test_such_a_view_answers_as_in_strict_mode_with_every_exception_handler(
    api: APIClient, user: Any, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(APIView.settings, "EXCEPTION_HANDLER", exception_handler)  # DRF's own
    get_user_model().objects.update(is_active=False)
    answer = api.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert (answer.status_code, answer.json()["code"]) == (401, "user_inactive")
    assert answer["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'


def test_a_token_older_than_a_quarter_of_an_hour_is_looked_up(user: Any, settings: Any) -> None:
    """The process that denied it may have known of shorter lifetimes, and may have deleted the row."""
    settings.TOKENS_ACCESS_LIFETIME = timedelta(hours=1)
    pair, now = sessions.start(user), timezone.now()
    sessions.authenticate(pair.raw_access)
    for minutes, queries in ((14, 0), (16, 1)):
        with CaptureQueriesContext(connection) as captured:
            sessions.authenticate(pair.raw_access, now=now + timedelta(minutes=minutes))
        assert len([q for q in captured if "tokens_session" in q["sql"]]) == queries


@pytest.mark.parametrize("path", ["/api/sessions/", "/api/logout/", "/api/me/password/"])
def test_the_apps_own_views_ask_the_database(
    api: APIClient, user: Any, pair: TokenPair, path: str
) -> None:
    """This process's copy does not know of the end yet."""
    sessions.authenticate(pair.raw_access)
    Session.objects.update(ended_at=timezone.now(), end_reason="revoked")
    call = api.get if path == "/api/sessions/" else api.post
    assert call(path, HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}").status_code == 401

"""Django's own sessions are among the user's sessions (case T21)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.tokens.api.django_site import end_all, end_its_row, name_in, the_row
from tokens import clock, sessions
from tokens.models import Session, SessionKind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("django_site_urls")]


def test_a_sign_in_adds_a_session_of_its_kind(browser: Client, user: Any) -> None:
    row = the_row()
    assert (row.user, row.ip_address) == (user, "127.0.0.1")
    assert "Firefox" in row.user_agent
    assert name_in(browser) == "ada"
    lifetime = row.expires_at - row.started_at
    assert abs(lifetime - timedelta(weeks=2)) < timedelta(seconds=2)


def test_signing_in_again_keeps_the_row(browser: Client) -> None:
    browser.get("/become/?name=ada")
    browser.get("/become/?name=ada")
    assert name_in(browser) == "ada"
    assert the_row().ended_at is None


def test_a_session_from_before_the_middleware_gets_a_row_when_it_is_used(user: Any) -> None:
    browser = Client()
    browser.force_login(user)
    assert not Session.objects.exists()
    assert name_in(browser) == "ada"
    end_its_row(user)
    assert name_in(browser) == "nobody"


def test_a_new_secret_key_with_the_old_as_fallback_keeps_it(
    browser: Client, user: Any, settings: Any
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-that-is-long-enough-0123456789-abcdef"
    assert name_in(browser) == "ada"
    with CaptureQueriesContext(connection) as captured:
        browser.get("/who/")
    assert sum("tokens_session" in query["sql"] for query in captured.captured_queries) == 1
    settings.SECRET_KEY_FALLBACKS = []
    Session.objects.update(refreshed_at=clock.now() - timedelta(hours=1))
    assert name_in(browser) == "ada"
    user.refresh_from_db()
    user.save()  # Its receivers end sessions of another auth hash.
    assert name_in(browser) == "ada"


def test_its_row_follows_its_use_once_in_a_while(browser: Client) -> None:
    earlier = clock.now() - timedelta(minutes=6)
    Session.objects.update(refreshed_at=earlier, expires_at=earlier, idle_until=earlier)
    browser.get("/who/", REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="another")
    row = the_row()
    assert row.refreshed_at > earlier + timedelta(minutes=5)
    assert row.expires_at > clock.now() + timedelta(days=13)
    assert (row.refreshed_ip_address, row.refreshed_user_agent) == ("192.0.2.7", "another")
    browser.get("/who/", REMOTE_ADDR="192.0.2.8")
    assert the_row().refreshed_ip_address == "192.0.2.7"


def test_a_request_that_uses_the_user_costs_one_query_and_any_other_none(browser: Client) -> None:
    def queries_of(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get(path)
        return sum("tokens_session" in query["sql"] for query in captured.captured_queries)

    assert queries_of("/who/") == 1
    assert queries_of("/nothing/") == 0


def test_an_async_view_gets_the_same_answer(browser: Client, user: Any) -> None:
    assert browser.get("/who-async/").content == b"ada"
    end_all(user)
    assert browser.get("/who-async/").content == b"nobody"


def test_a_sign_in_that_django_does_not_save_adds_no_row(user: Any) -> None:
    browser = Client(raise_request_exception=False)
    assert browser.get("/fail/?name=ada").status_code == 500
    assert not Session.objects.exists()


def test_a_sign_in_by_token_adds_no_session_of_django(user: Any) -> None:
    APIClient().post("/api/token/", {"username": "ada", "password": PASSWORD})
    assert Session.objects.get().kind == SessionKind.PAIR


def test_it_displaces_no_session_with_tokens(browser: Client, user: Any, settings: Any) -> None:
    settings.TOKENS_SESSIONS_PER_USER = 1
    pair = sessions.start(user)
    Client().get("/become/?name=ada")
    sessions.authenticate(pair.raw_access)

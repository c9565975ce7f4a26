"""A ticket lets one request in, once, and no other."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from rest_framework.test import APIClient, APIRequestFactory

from tests.conftest import PASSWORD
from tests.tickets.conftest import Ticket
from tests.tickets.urls import ReportView
from tokens import clock, sessions
from tokens.errors import Malformed
from tokens.models import EndReason, Session
from tokens.secret import Secret
from tokens.sessions import TokenPair
from tokens.tickets import issuing
from tokens.tickets.models import Ticket as Row

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tickets.urls")]


def test_a_ticket_stands_for_its_session_once(
    api: APIClient, ticket: Ticket, pair: TokenPair
) -> None:
    address = f"/report/?page=2&ticket={ticket()}&q=a%20b"
    answer = api.get(address)
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"user": "ada", "sid": str(pair.session.pk), "query": "page=2&q=a+b"}
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    again = api.get(address)
    assert again.status_code == 401
    assert again.json()["code"] == "token_not_valid"
    assert again["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'
    assert again["Referrer-Policy"] == "no-referrer"


def test_the_claims_are_those_of_the_access_token(pair: TokenPair) -> None:
    now = clock.now()
    claims = sessions.authenticate(pair.raw_access).claims
    raw = issuing.issue(claims, method="GET", path="/report/", now=now)
    found, session = issuing.redeem(raw, method="GET", path="/report/", now=now)
    assert found == claims
    assert session == pair.session


@pytest.mark.parametrize(
    ("method", "path"), [("post", "/report/"), ("get", "/report/x/"), ("get", "/download/")]
)
def test_a_ticket_is_good_for_one_method_and_path(
    api: APIClient, ticket: Ticket, method: str, path: str
) -> None:
    raw = ticket()
    assert getattr(api, method)(f"{path}?ticket={raw}").status_code == 401
    assert api.get(f"/report/?ticket={raw}").status_code == 200


def test_a_path_is_written_as_in_an_address(api: APIClient, ticket: Ticket) -> None:
    for path in ("/report/a%20b%C3%A9/", "/report/100%2525/", "/report/ü/"):
        assert api.get(f"{path}?ticket={ticket(path)}").status_code == 200


def test_a_ticket_can_be_for_another_method(api: APIClient, ticket: Ticket) -> None:
    assert api.post(f"/report/?ticket={ticket(method='POST')}").status_code == 200


def test_there_is_no_ticket_for_a_path_with_a_nul(api: APIClient, pair: TokenPair) -> None:
    """PostgreSQL cannot store it, and raises for a query with it."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    answer = client.post("/api/token/ticket/", {"path": "/report/%00/"})
    assert answer.status_code == 400
    assert answer.json() == {"path": ["Null characters are not allowed."]}
    assert api.get(f"/report/%00/?ticket=lktk_{'a' * 43}").status_code == 401


@pytest.mark.parametrize(("seconds", "status"), [(29, 200), (30, 401)])
def test_a_ticket_is_good_for_thirty_seconds(
    api: APIClient, ticket: Ticket, monkeypatch: pytest.MonkeyPatch, seconds: int, status: int
) -> None:
    raw, later = ticket(), clock.now() + timedelta(seconds=seconds)
    Row.objects.update(expires_at=later + timedelta(seconds=30 - seconds))
    monkeypatch.setattr(clock, "now", lambda: later)
    assert api.get(f"/report/?ticket={raw}").status_code == status


def test_a_ticket_outlives_its_access_token_by_no_more_than_the_leeway(
    pair: TokenPair, settings: Any
) -> None:
    settings.TOKENS_LEEWAY = timedelta(seconds=5)
    claims = sessions.authenticate(pair.raw_access).claims
    issuing.issue(claims, method="GET", path="/", now=claims.expires_at - timedelta(seconds=1))
    assert Row.objects.get().expires_at == claims.expires_at + timedelta(seconds=5)


def test_after_the_end_of_its_session_a_ticket_is_refused(
    api: APIClient, ticket: Ticket, pair: TokenPair
) -> None:
    raw = ticket()
    sessions.end([pair.session], reason=EndReason.LOGOUT)
    assert api.get(f"/report/?ticket={raw}").status_code == 401


def test_after_its_access_token_was_denied_a_ticket_is_refused(
    api: APIClient, ticket: Ticket, pair: TokenPair
) -> None:
    raw = ticket()
    sessions.revoke(pair.raw_access)
    assert api.get(f"/report/?ticket={raw}").status_code == 401


@pytest.mark.parametrize("change", ["deactivate", "password", "delete"])
def test_a_user_who_may_no_longer_come_in_is_refused(
    api: APIClient, ticket: Ticket, user: Any, change: str
) -> None:
    raw = ticket()
    if change == "delete":
        user.delete()
    elif change == "password":
        user.set_password("another one")
        user.save()
    else:
        user.is_active = False
        user.save()
    assert api.get(f"/report/?ticket={raw}").status_code == 401


def test_a_request_with_a_ticket_and_a_header_is_refused(
    api: APIClient, ticket: Ticket, pair: TokenPair
) -> None:
    raw = ticket()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert api.get(f"/report/?ticket={raw}").status_code == 401


def test_a_browser_in_which_another_user_is_signed_in_is_refused(
    api: APIClient, ticket: Ticket
) -> None:
    get_user_model().objects.create_user("eve", "eve@example.org", PASSWORD)
    browser = APIClient()
    browser.post("/api/token/cookie/", {"username": "eve", "password": PASSWORD})
    assert browser.get(f"/report/?ticket={ticket()}").status_code == 401
    browser.cookies.clear()
    assert browser.get(f"/report/?ticket={ticket()}").status_code == 200


@pytest.mark.parametrize("cookie", ["own", "junk"])
def test_an_access_cookie_of_the_same_user_or_without_a_user_changes_nothing(
    api: APIClient, ticket: Ticket, pair: TokenPair, cookie: str, settings: Any
) -> None:
    from tokens.api import cookies
    from tokens.client.cookie import full_name

    api.cookies[full_name(cookies.ACCESS)] = pair.raw_access if cookie == "own" else "a.b.c"
    assert api.get(f"/report/?ticket={ticket()}").status_code == 200


@pytest.mark.parametrize(
    "query",
    ["", "ticket=", "ticket=42", f"ticket=lktk_{'x' * 42}", f"ticket=lktk_{'x' * 44}", "q=ticket="],
)
def test_a_value_that_is_no_ticket_is_left_to_the_view_and_to_the_other_classes(
    api: APIClient, pair: TokenPair, query: str
) -> None:
    assert api.get(f"/report/?{query}").status_code == 401
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    answer = api.get(f"/report/?{query}")
    assert answer.status_code == 200
    assert answer.json()["query"].replace("%3D", "=") == query


def test_two_tickets_in_one_address_are_as_good_as_none(api: APIClient, ticket: Ticket) -> None:
    first, second = ticket(), ticket()
    assert api.get(f"/report/?ticket={first}&ticket={second}").status_code == 401
    assert api.get(f"/report/?ticket={first}").status_code == 200


def test_a_view_that_does_not_opt_in_accepts_no_ticket(api: APIClient, ticket: Ticket) -> None:
    assert api.get(f"/api/me/?ticket={ticket('/api/me/')}").status_code == 401


def test_a_request_that_no_server_began_can_have_a_ticket(ticket: Ticket) -> None:
    request = APIRequestFactory().get(f"/report/?ticket={ticket()}&page=2")
    assert request.GET["page"] == "2"
    answer = ReportView.as_view()(request)
    assert answer.status_code == 200
    assert answer.data["query"] == "page=2"


class TestAsking:
    @pytest.mark.parametrize(
        "path",
        ["", "report/", "//evil.example/", "/a?b", "/a#b", "/%ff", f"/{'x' * 2048}", None, 3.5],
    )
    def test_for_no_path_is_refused(self, api: APIClient, pair: TokenPair, path: Any) -> None:
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
        answer = api.post("/api/token/ticket/", {"path": path}, format="json")
        assert answer.status_code == 400
        assert list(answer.json()) == ["path"]
        assert not Row.objects.exists()

    def test_for_another_method_than_http_has_is_refused(
        self, api: APIClient, pair: TokenPair
    ) -> None:
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
        answer = api.post("/api/token/ticket/", {"path": "/", "method": "get"})
        assert answer.status_code == 400

    def test_without_a_token_is_refused(self, api: APIClient) -> None:
        assert api.post("/api/token/ticket/", {"path": "/report/"}).status_code == 401

    def test_without_a_session_is_refused(self, api: APIClient, user: Any) -> None:
        api.force_authenticate(user)  # As another authentication class of the project does.
        assert api.post("/api/token/ticket/", {"path": "/report/"}).status_code == 403

    def test_deletes_unused_ones(self, ticket: Ticket) -> None:
        ticket()
        Row.objects.update(expires_at=clock.now() - timedelta(seconds=1))
        kept = ticket()
        assert Row.objects.get().digest == issuing._digest(kept)


class TestWhatIsStored:
    def test_cannot_be_used(self, ticket: Ticket, pair: TokenPair) -> None:
        raw = ticket()
        row = Row.objects.get()
        stored = json.dumps([row.digest, row.claims, row.path, str(row)])
        assert raw not in stored
        assert pair.raw_access not in stored

    def test_does_not_grow_with_use(self, api: APIClient, ticket: Ticket) -> None:
        for _ in range(3):
            api.get(f"/report/?ticket={ticket()}")
        assert not Row.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_view_that_fails_in_its_transaction_has_used_the_ticket_up(
    tokens_process: None, user: Any
) -> None:
    from tokens import keyring

    keyring.ensure()
    claims = sessions.authenticate(sessions.start(user).raw_access).claims
    raw = issuing.issue(claims, method="GET", path="/", now=clock.now())
    with transaction.atomic():
        issuing.redeem(raw, method="GET", path="/", now=clock.now())
        transaction.set_rollback(True)
    with pytest.raises(Malformed):
        issuing.redeem(raw, method="GET", path="/", now=clock.now())


def test_redeeming_takes_three_statements(
    api: APIClient, ticket: Ticket, django_assert_num_queries: Any
) -> None:
    address = f"/report/?ticket={ticket()}"
    with django_assert_num_queries(3):  # Find it, take it, and the one query of every request.
        assert api.get(address).status_code == 200


def test_while_the_database_is_away_the_answer_is_503(
    api: APIClient, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("gone")

    raw = ticket()
    monkeypatch.setattr(issuing, "redeem", fail)
    assert api.get(f"/report/?ticket={raw}").status_code == 503


def test_an_unknown_ticket_is_refused(db: None) -> None:
    with pytest.raises(Malformed):
        issuing.redeem(Secret(f"lktk_{'x' * 43}"), method="GET", path="/", now=clock.now())
    assert not Session.objects.exists()

"""A ticket in the address of a WebSocket."""

from datetime import timedelta
from typing import Any

import pytest

from tests.asgi.talking import hello, status, talk
from tokens import clock, sessions
from tokens.asgi import optional
from tokens.sessions import TokenPair

issuing = pytest.importorskip("tokens.tickets.issuing", reason="The package was deleted.")


def ticket_for(pair: TokenPair, path: str, *, ago: int = 0) -> str:
    now = clock.now()
    claims = sessions.authenticate(pair.raw_access).claims
    issued = issuing.issue(claims, method="GET", path=path, now=now - timedelta(seconds=ago))
    return f"a=1&ticket={issued.reveal()}"


def test_a_ticket_opens_one_websocket_and_is_not_in_the_scope(pair: TokenPair) -> None:
    query = ticket_for(pair, "/ws/")
    assert hello(talk(query=query)) == {"user": "ada", "offered": [], "query": "a=1"}
    assert status(talk(query=query)) == 401


@pytest.mark.parametrize(("path", "ago"), [("/other/", 0), ("/ws/", 31)])
def test_a_ticket_for_another_path_or_an_old_one_is_refused(
    pair: TokenPair, path: str, ago: int
) -> None:
    assert status(talk(query=ticket_for(pair, path, ago=ago))) == 401


def test_a_ticket_is_refused_after_the_end_of_its_session(pair: TokenPair) -> None:
    query = ticket_for(pair, "/ws/")
    sessions.revoke(pair.raw_refresh)
    assert status(talk(query=query)) == 401


def test_without_the_app_for_tickets_the_parameter_is_not_looked_at(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optional, "tickets", lambda: None)
    scope_query = "ticket=mine"
    assert hello(talk(query=scope_query))["query"] == scope_query


@pytest.mark.parametrize("method", ["POST", "HEAD", "get"])
def test_a_ticket_for_another_method_is_refused(pair: TokenPair, method: str) -> None:
    claims = sessions.authenticate(pair.raw_access).claims
    issued = issuing.issue(claims, method=method, path="/ws/", now=clock.now())
    assert status(talk(query=f"ticket={issued.reveal()}")) == 401


@pytest.mark.parametrize(
    ("asked", "path", "is_good"),
    [
        ("/r%C3%A4ume/a%20b/", "/räume/a b/", True),
        ("/a%2Fb/", "/a/b/", True),  # Django decodes it as well, so both are one address.
        ("/a%252Fb/", "/a%2Fb/", True),
        ("/a%252Fb/", "/a/b/", False),  # It is decoded once only.
        ("/ws", "/ws/", False),
        ("/ws/", "/WS/", False),
        ("/ws/../ws/", "/ws/", False),
        ("/ws/", "/ws//", False),
    ],
)
def test_a_ticket_is_for_the_path_as_it_is_decoded_once(
    pair: TokenPair, api: Any, asked: str, path: str, is_good: bool
) -> None:
    sent = talk(query=f"ticket={bought(api, pair, asked)}", scope={"path": path})
    assert (sent[0]["type"] == "websocket.accept") is is_good


@pytest.mark.parametrize(("asked", "is_good"), [("/site/ws/", True), ("/ws/", False)])
def test_a_ticket_is_for_the_path_with_the_prefix_of_the_server(
    pair: TokenPair, api: Any, asked: str, is_good: bool
) -> None:
    # ASGI: the path has the root_path in it.
    scope = {"path": "/site/ws/", "root_path": "/site"}
    sent = talk(query=f"ticket={bought(api, pair, asked)}", scope=scope)
    assert (sent[0]["type"] == "websocket.accept") is is_good


def test_two_tickets_or_a_ticket_and_a_header_are_refused(pair: TokenPair) -> None:
    one, other = (ticket_for(pair, "/ws/") for _ in range(2))
    assert status(talk(query=f"{one}&{other}")) == 401
    bearer = [(b"authorization", f"Bearer {pair.raw_access}".encode())]
    assert status(talk(query=one, headers=bearer)) == 401
    # It was not used up, because the handshake was refused before that.
    assert hello(talk(query=one))["user"] == "ada"


def bought(api: Any, pair: TokenPair, path: str) -> str:
    """Return a ticket from the API for this path, as a client writes it."""
    answer = api.post(
        "/api/token/ticket/",
        {"method": "GET", "path": path},
        HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}",
    )
    return str(answer.json()["ticket"])

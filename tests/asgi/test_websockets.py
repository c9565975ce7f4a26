"""Which credential opens a WebSocket, and what a refused one gets."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.asgi.talking import authenticate, bearer, cookie, hello, status, talk
from tokens import clock, sessions
from tokens.asgi import deadlines, optional
from tokens.sessions import TokenPair


def test_the_header_opens_a_websocket(pair: TokenPair) -> None:
    assert hello(talk(headers=bearer(pair.raw_access)))["user"] == "ada"


def test_the_cookie_opens_one_from_the_sites_own_page(pair: TokenPair) -> None:
    assert hello(talk(headers=cookie(pair.raw_access)))["user"] == "ada"


@pytest.mark.parametrize("origin", [None, b"https://evil.example", b"null", b"\xff", b"http://["])
def test_the_cookie_opens_none_from_another_site(pair: TokenPair, origin: Any) -> None:
    assert status(talk(headers=cookie(pair.raw_access, origin))) == 403


def test_the_token_among_the_subprotocols_is_never_accepted(pair: TokenPair) -> None:
    sent = talk(subprotocols=["latchkey.bearer", pair.raw_access, "chat"])
    assert hello(sent) == {"user": "ada", "offered": ["chat"], "query": ""}
    assert sent[0]["subprotocol"] == "latchkey.bearer"
    assert pair.raw_access not in repr(sent)


def test_a_marker_without_a_token_is_refused(db: None) -> None:
    assert status(talk(subprotocols=["latchkey.bearer"])) == 401


def test_two_credentials_are_refused(pair: TokenPair) -> None:
    both = [*bearer(pair.raw_access), *cookie(pair.raw_access)]
    assert status(talk(headers=both)) == 401


@pytest.mark.parametrize("headers", [bearer("x" * 1_000_000), bearer("\0\xff"), bearer("a b")])
def test_an_odd_header_is_refused(db: None, headers: Any) -> None:
    assert status(talk(headers=headers)) == 401


def test_a_refresh_token_is_refused(pair: TokenPair) -> None:
    assert status(talk(headers=bearer(pair.raw_refresh))) == 401


def test_an_expired_token_is_refused(transactional_db: None, user: Any) -> None:
    pair = sessions.start(user, now=clock.now() - timedelta(hours=1))
    assert status(talk(headers=bearer(pair.raw_access))) == 401


def test_a_server_without_the_extension_gets_a_close(pair: TokenPair) -> None:
    (close,) = talk(headers=bearer("x"), extension=False)
    assert (close["type"], close["code"]) == ("websocket.close", 4401)


def test_without_a_credential_the_user_is_anonymous_unless_one_is_required(db: None) -> None:
    assert hello(talk())["user"] == "AnonymousUser"
    assert status(talk(required=True)) == 401


def test_the_first_message_authenticates_and_is_not_passed_on(pair: TokenPair) -> None:
    sent = talk(authenticate(pair.raw_access), "hi", first_message=True)
    assert [each["type"] for each in sent[:2]] == ["websocket.accept", "websocket.send"]
    assert json.loads(sent[1]["text"])["type"] == "authenticated"
    assert json.loads(sent[2]["text"])["user"] == "ada"
    assert sent[3]["text"] == "hi"


@pytest.mark.parametrize(
    "first",
    [
        "hi",
        "{",
        "[1]",
        b"\0",
        "x" * 9001,
        '{"type": "authenticate"}',
        authenticate("x"),
        "[" * 8000,
    ],
)
def test_another_first_message_closes_the_socket(db: None, first: Any) -> None:
    accept, close = talk(first, first_message=True)
    assert accept["type"] == "websocket.accept"
    assert (close["type"], close["code"]) == ("websocket.close", 4401)


def test_a_first_message_that_does_not_come_closes_the_socket(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "FIRST_MESSAGE_WITHIN", 0.01)
    assert talk(first_message=True)[-1]["code"] == 4401


def test_a_database_that_is_away_is_the_servers_failure(
    pair: TokenPair, database_away: None
) -> None:
    sent = talk(headers=bearer(pair.raw_access))
    assert status(sent) == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]
    assert talk(authenticate(pair.raw_access), first_message=True)[-1]["code"] == 1013


def test_a_package_that_is_deleted_is_not_used(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(optional, "module_has_submodule", lambda package, name: False)
    assert optional.guard() is None
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "tokens.tickets"]
    assert optional.tickets() is None

"""Clients that leave, wait or send again, and the databases and servers that fail meanwhile."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.utils.functional import SimpleLazyObject

from config.asgi import application as project
from tests.asgi.talking import PATIENCE, authenticate, bearer, hello, status, talk
from tests.asgi.test_requests import ask, ignores_user, names_user_in_a_thread
from tests.asgi.test_requests import bearer as header
from tokens import sessions
from tokens.asgi import JWTMiddleware, deadlines
from tokens.asgi import authenticate as authenticate_scope
from tokens.errors import KeyRingError
from tokens.sessions import TokenPair


def serve(app: Any, *incoming: Any, headers: Any = (), **options: Any) -> list[Any]:
    """Run a WebSocket application with these messages, and return what it has sent."""
    scope = {
        "type": "websocket",
        "path": "/ws/",
        "scheme": "ws",
        "query_string": b"",
        "headers": [(b"host", b"testserver"), *headers],
        "subprotocols": [],
    }
    messages, sent = list(incoming), []

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        return await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        sent.append(message)

    async def story() -> None:
        running = JWTMiddleware(app, **options)(scope, receive, send)
        await asyncio.wait_for(running, PATIENCE)

    async_to_sync(story)()
    return sent


CONNECT = {"type": "websocket.connect"}
LEFT = {"type": "websocket.disconnect", "code": 1001}


def test_a_refused_client_that_has_left_gets_nothing(db: None) -> None:
    assert serve(None, LEFT, headers=bearer("x")) == []


def test_a_client_that_leaves_before_its_first_message_gets_nothing_more(db: None) -> None:
    assert serve(None, LEFT, first_message=True) == []
    (accept,) = serve(None, CONNECT, LEFT, first_message=True)
    assert accept["type"] == "websocket.accept"


def test_an_application_that_gives_up_waiting_loses_no_message(pair: TokenPair) -> None:
    async def impatient(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(receive(), 0.01)

    assert serve(impatient, CONNECT, headers=bearer(pair.raw_access)) == []


@pytest.mark.parametrize("text", ['["authenticate"]', '{"authenticate"', '{"a": "authenticate"}'])
def test_a_message_that_only_has_the_word_is_passed_on(pair: TokenPair, text: str) -> None:
    assert talk(text, headers=bearer(pair.raw_access))[2]["text"] == text


@pytest.mark.parametrize(
    "text",
    ['{"type": "authenticate"}', '{"type": "authenticate", "token": 1}', authenticate("x" * 9000)],
)
def test_a_malformed_renewal_is_answered(pair: TokenPair, text: str) -> None:
    sent = talk(text, headers=bearer(pair.raw_access))
    assert json.loads(sent[2]["text"])["type"] == "authentication_failed"


def test_a_key_ring_that_cannot_be_read_is_the_servers_failure(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(raw_access: Any, **options: Any) -> None:
        raise KeyRingError("sealed under another secret", hint="")

    monkeypatch.setattr(sessions, "aauthenticate", broken)
    assert status(talk(headers=bearer(pair.raw_access))) == 503


def test_a_required_user_meets_503_while_the_database_is_away(
    pair: TokenPair, database_away: None
) -> None:
    sent = ask(ignores_user, header(pair.raw_access), required=True)
    assert sent[0]["status"] == 503


def test_other_messages_of_the_server_reach_the_application() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    nowhere: Any = None
    async_to_sync(JWTMiddleware(app))({"type": "lifespan"}, nowhere, nowhere)
    assert seen == ["lifespan"]


def test_a_user_is_looked_up_once(pair: TokenPair, django_assert_num_queries: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await authenticate_scope(scope)
        await authenticate_scope(scope)
        await names_user_in_a_thread(scope, receive, send)

    with django_assert_num_queries(1):
        assert ask(app, header(pair.raw_access))[1]["body"] == b"ada True"


def test_claims_of_a_refused_token_are_none_in_synchronous_code(db: None) -> None:
    sent = ask(names_user_in_a_thread, header("x"))
    assert sent[1]["body"] == b"AnonymousUser False"


def test_a_websocket_is_authenticated_already(pair: TokenPair) -> None:
    names: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        names.append(str(await authenticate_scope(scope)))

    serve(app, CONNECT, headers=bearer(pair.raw_access))
    assert names == ["ada"]


def test_an_answer_that_is_not_stored_anyway_is_left_alone(pair: TokenPair) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await authenticate_scope(scope)
        headers = [(b"cache-control", b"private, no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    start, _ = ask(app, header(pair.raw_access))
    assert start["headers"] == [(b"cache-control", b"private, no-store")]


def test_without_the_session_of_django_a_cookie_cannot_change_anything(
    pair: TokenPair, settings: Any
) -> None:
    settings.CSRF_USE_SESSIONS = True
    cookie = (b"cookie", f"latchkey_access={pair.raw_access}".encode())
    start, _ = ask(ignores_user, cookie, method="POST", required=True)
    assert start["status"] == 403


def test_one_timer_serves_all_sockets_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "FIRST_MESSAGE_WITHIN", 0.5)

    async def story() -> list[bool]:
        first = deadlines.begin()
        second = deadlines.begin()
        first.cancel()
        await second
        third = deadlines.begin()
        await asyncio.sleep(0.1)
        fourth = deadlines.begin()
        await fourth
        return [future.cancelled() for future in (first, second, third, fourth)]

    assert async_to_sync(story)() == [True, False, False, False]


def test_the_user_of_snapshot_mode_is_loaded_for_a_websocket(
    pair: TokenPair, settings: Any
) -> None:
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    assert hello(talk(headers=bearer(pair.raw_access)))["user"] == "ada"


def of_project(scope: str, *incoming: str) -> list[Any]:
    messages, sent = list(incoming), []

    async def receive() -> Any:
        return {"type": messages.pop(0)}

    async def send(message: Any) -> None:
        sent.append(message)

    async_to_sync(project)({"type": scope, "path": "/", "headers": []}, receive, send)
    return sent


def test_the_project_refuses_a_websocket() -> None:
    assert of_project("websocket", "websocket.connect") == [{"type": "websocket.close"}]


def test_the_project_answers_the_messages_of_the_lifespan() -> None:
    sent = of_project("lifespan", "lifespan.startup", "lifespan.shutdown")
    assert [each["type"] for each in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_synchronous_code_sees_what_was_found_before(pair: TokenPair) -> None:
    users: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        users.append(scope["user"])
        await sync_to_async(lambda: str(scope["user"]))()
        await sync_to_async(lambda: scope["claims"].sub)()

    ask(app, header(pair.raw_access))
    assert isinstance(users[0], SimpleLazyObject)

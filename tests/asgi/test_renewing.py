"""A newer access token over an authenticated WebSocket."""

import asyncio
import json
from typing import Any

import pytest

from tests.asgi.talking import authenticate, bearer, talk
from tokens import sessions
from tokens.asgi import credentials, optional
from tokens.sessions import TokenPair


def test_a_newer_token_renews_the_connection_and_is_not_passed_on(pair: TokenPair) -> None:
    sent = talk(authenticate(pair.raw_access), authenticate("x"), headers=bearer(pair.raw_access))
    answers = [json.loads(each["text"])["type"] for each in sent[2:]]
    assert answers == ["authenticated", "authentication_failed"]


def test_without_renewal_each_message_is_passed_on(pair: TokenPair) -> None:
    text = authenticate("x")
    sent = talk(text, headers=bearer(pair.raw_access), renewal=False)
    assert sent[2]["text"] == text


def test_without_connections_a_token_of_another_session_is_refused(
    pair: TokenPair, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optional, "guard", lambda: None)
    other = sessions.start(user)
    texts = [authenticate(pair.raw_access), authenticate(other.raw_access)]
    sent = talk(*texts, headers=bearer(pair.raw_access))
    answers = [json.loads(each["text"])["type"] for each in sent[2:]]
    assert answers == ["authenticated", "authentication_failed"]


def test_a_renewal_that_is_judged_after_the_close_is_not_answered(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = asyncio.Event()
    original = credentials.authenticate

    async def late(credential: Any, **options: Any) -> Any:
        if credential.kind is credentials.Kind.MESSAGE:
            await closed.wait()
        return await original(credential, **options)

    monkeypatch.setattr(credentials, "authenticate", late)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        receiving = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await send({"type": "websocket.close", "code": 1000})
        closed.set()
        assert (await receiving)["type"] == "websocket.disconnect"

    sent = talk(authenticate(pair.raw_access), headers=bearer(pair.raw_access), app=app)
    # A server raises an error for anything after the close.
    assert [each["type"] for each in sent] == ["websocket.accept", "websocket.close"]


def test_a_client_that_leaves_before_the_answer_harms_nothing(pair: TokenPair) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])

    def left(message: Any) -> None:
        raise ConnectionResetError

    talk(authenticate(pair.raw_access), headers=bearer(pair.raw_access), app=app, on_send=left)
    assert seen == ["websocket.connect", "websocket.disconnect"]

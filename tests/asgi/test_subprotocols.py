"""The subprotocol of a WebSocket that is accepted before the application runs."""

import json
from typing import Any

import pytest

from tests.asgi.talking import authenticate, bearer, hello, talk
from tokens.asgi import JWTMiddleware
from tokens.sessions import TokenPair

SPOKEN = ("chat.v2", "chat.v1")


def first(pair: TokenPair, *offered: str, spoken: Any = SPOKEN) -> list[Any]:
    return talk(
        authenticate(pair.raw_access), subprotocols=offered, first_message=True, spoken=spoken
    )


@pytest.mark.parametrize(
    ("offered", "accepted"),
    [
        (["chat.v1"], "chat.v1"),
        (["x", "chat.v1", "chat.v2"], "chat.v1"),
        (["chat.v2", "chat.v1"], "chat.v2"),
        (["x"], None),
        (["CHAT.V1"], None),  # RFC 6455 §11.3.4: the names are case-sensitive.
        ([], None),
    ],
)
def test_the_first_of_the_clients_that_the_application_speaks_is_accepted(
    pair: TokenPair, offered: list[str], accepted: str | None
) -> None:
    sent = first(pair, *offered)
    assert sent[0] == {"type": "websocket.accept", "subprotocol": accepted}
    # The application is offered this one only, so it cannot choose another.
    assert json.loads(sent[2]["text"])["offered"] == ([accepted] if accepted else [])


def test_without_the_option_none_is_accepted(pair: TokenPair) -> None:
    assert first(pair, "chat.v1", spoken=())[0]["subprotocol"] is None


def test_with_another_credential_the_application_chooses(pair: TokenPair) -> None:
    sent = talk(
        "hello",
        headers=bearer(pair.raw_access),
        subprotocols=["x", "chat.v1"],
        first_message=True,
        spoken=SPOKEN,
    )
    assert hello(sent)["offered"] == ["x", "chat.v1"]
    assert "subprotocol" not in sent[0]


def test_text_in_place_of_a_tuple_is_an_error() -> None:
    app: Any = None
    with pytest.raises(TypeError, match=r'\("chat.v1",\)'):
        JWTMiddleware(app, subprotocols="chat.v1")


def test_the_application_cannot_refuse_a_handshake_that_is_over(pair: TokenPair) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["extensions"])
        await receive()
        await send({"type": "websocket.close", "code": 4000})

    text = authenticate(pair.raw_access)
    accept, _, close = talk(text, first_message=True, app=app)
    assert seen == [{}]
    assert (accept["type"], close["code"]) == ("websocket.accept", 4000)

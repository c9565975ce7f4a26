"""The middleware for ASGI and WSGI. Flask and FastAPI are tried with the wheel, in tests/clients."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from latchkey_verify import Verifier, asgi, wsgi

from .authority import Authority

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture(params=["asgi", "wsgi"])
def ask(request: pytest.FixtureRequest, verifier: Verifier) -> Ask:
    return by_asgi(verifier) if request.param == "asgi" else by_wsgi(verifier)


def by_wsgi(verifier: Verifier) -> Ask:
    def app(environ: dict[str, Any], answer: Callable[..., Any]) -> Iterable[bytes]:
        answer("200 OK", [])
        token = environ["latchkey"]
        return [b"nobody" if token is None else token.sub.encode()]

    def ask(header: str | None, **options: bool) -> tuple[int, dict[str, str], bytes]:
        got: list[Any] = []
        environ = {} if header is None else {"HTTP_AUTHORIZATION": header}
        served = wsgi.TokenMiddleware(app, verifier, **options)
        body = b"".join(served(environ, lambda *words: got.extend(words)))
        headers = {name.lower(): value for name, value in got[1]}
        return int(got[0].split()[0]), headers, body

    return ask


def by_asgi(verifier: Verifier) -> Ask:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        token = scope["latchkey"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = b"nobody" if token is None else token.sub.encode()
        await send({"type": "http.response.body", "body": body})

    def ask(header: str | None, **options: bool) -> tuple[int, dict[str, str], bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [] if header is None else [(b"authorization", header.encode())]
        served = asgi.TokenMiddleware(app, verifier, **options)
        asyncio.run(served({"type": "http", "headers": headers}, None, send))
        got = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], got, sent[1]["body"]

    return ask


def test_a_good_token_reaches_the_app(ask: Ask, authority: Authority) -> None:
    assert ask(f"Bearer {authority.token()}")[::2] == (200, b"ada")


def test_no_token_is_challenged(ask: Ask) -> None:
    status, headers, _ = ask(None)
    assert (status, headers["www-authenticate"]) == (401, 'Bearer realm="api"')


def test_no_token_may_pass_where_none_is_required(ask: Ask) -> None:
    assert ask(None, required=False)[::2] == (200, b"nobody")
    assert ask("Bearer bad", required=False)[0] == 401


def test_a_denied_token_is_refused(ask: Ask, authority: Authority) -> None:
    authority.deny("sid", "session-1")
    status, headers, body = ask(f"Bearer {authority.token()}")
    assert status == 401
    assert headers["www-authenticate"] == 'Bearer realm="api", error="invalid_token"'
    assert b"token_not_valid" in body


def test_without_news_the_answer_is_503(ask: Ask, authority: Authority, verifier: Verifier) -> None:
    token = authority.token()
    assert ask(f"Bearer {token}")[0] == 200
    verifier.clock = lambda: 10.0**11
    status, headers, _ = ask(f"Bearer {token}")
    assert (status, headers["retry-after"]) == (503, "1")


def test_a_websocket_is_closed_before_it_is_accepted(verifier: Verifier) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "headers": []}
    asyncio.run(asgi.TokenMiddleware(app, verifier)(scope, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_lifespan_passes(verifier: Verifier) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(asgi.TokenMiddleware(app, verifier)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]

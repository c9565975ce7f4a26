"""The user of an HTTP request is looked up when something needs it."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import SynchronousOnlyOperation

from tokens.asgi import JWTMiddleware, authenticate, send_unauthorized
from tokens.sessions import TokenPair


def ask(app: Any, *headers: tuple[bytes, bytes], method: str = "GET", **options: Any) -> list[Any]:
    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"testserver"), *headers],
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    async_to_sync(JWTMiddleware(app, **options))(scope, receive, send)
    return sent


async def answer(send: Any, text: str, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def names_user(scope: Any, receive: Any, send: Any) -> None:
    user = await authenticate(scope)
    if not user.is_authenticated:
        await send_unauthorized(scope, send)
        return
    assert scope["claims"].sub == str(user.pk)
    await answer(send, str(scope["user"]), (b"cache-control", b"public"))


async def names_user_in_a_thread(scope: Any, receive: Any, send: Any) -> None:
    text = await sync_to_async(lambda: f"{scope['user']} {bool(scope['claims'])}")()
    await answer(send, text)


async def ignores_user(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, "hello")


def bearer(token: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {token}".encode()


def cookie(token: str) -> tuple[bytes, bytes]:
    return b"cookie", f"latchkey_access={token}".encode()


def test_the_header_names_the_user_and_the_answer_is_not_stored(pair: TokenPair) -> None:
    start, body = ask(names_user, bearer(pair.raw_access))
    assert body["body"] == b"ada"
    assert start["headers"] == [(b"cache-control", b"no-store")]


def test_the_answer_to_a_cookie_varies_by_it(pair: TokenPair) -> None:
    start, body = ask(names_user, cookie(pair.raw_access))
    assert body["body"] == b"ada"
    assert (b"vary", b"Cookie") in start["headers"]


def test_a_cookie_with_an_unsafe_method_needs_the_csrf_token(pair: TokenPair) -> None:
    assert ask(names_user, cookie(pair.raw_access), method="POST")[0]["status"] == 403


@pytest.mark.parametrize("token", ["x", "x y", "\0", "x" * 1_000_000])
def test_a_refused_token_leaves_an_anonymous_user(db: None, token: str) -> None:
    start, _ = ask(names_user, bearer(token))
    assert start["status"] == 401
    assert (b"www-authenticate", b'Bearer realm="api", error="invalid_token"') in start["headers"]


def test_synchronous_code_uses_the_scope_directly(pair: TokenPair) -> None:
    assert ask(names_user_in_a_thread, bearer(pair.raw_access))[1]["body"] == b"ada True"
    assert ask(names_user_in_a_thread)[1]["body"] == b"AnonymousUser False"


def test_asynchronous_code_is_told_to_wait_for_the_user(pair: TokenPair) -> None:
    async def view(scope: Any, receive: Any, send: Any) -> None:
        str(scope["user"])

    with pytest.raises(SynchronousOnlyOperation, match="authenticate"):
        ask(view, bearer(pair.raw_access))


def test_a_view_that_ignores_the_user_costs_no_query(
    pair: TokenPair, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        start, _ = ask(ignores_user, bearer(pair.raw_access))
    assert start["headers"] == []


def test_a_required_user_is_looked_up_before_the_application(pair: TokenPair) -> None:
    assert ask(ignores_user, required=True)[0]["status"] == 401
    assert ask(ignores_user, bearer("x"), required=True)[0]["status"] == 401
    assert ask(ignores_user, bearer(pair.raw_access), required=True)[0]["status"] == 200


def test_a_scope_without_the_middleware_is_an_error() -> None:
    with pytest.raises(LookupError, match="JWTMiddleware"):
        async_to_sync(authenticate)({})

"""What an attacker can send in a handshake, in the first message and over an open socket."""

import asyncio
import gc
import json
import time
from collections.abc import Callable
from typing import Any

import django
import pytest
from asgiref.sync import async_to_sync

from tests.asgi.talking import OWN, authenticate, bearer, cookie, hello, status, talk
from tests.asgi.test_requests import answer, ask
from tokens import sessions
from tokens.asgi import JWTMiddleware, deadlines, renewing
from tokens.asgi import authenticate as user_of
from tokens.sessions import TokenPair


@pytest.mark.parametrize(
    "origin",
    [
        b"HTTP://TESTSERVER",  # A browser sends lower case (RFC 6454 §6.2).
        b"http://testserver:80",
        b"http://testserver:8000",
        b"https://testserver",
        b"http://testserver.evil.example",
        b"http://evil.example/http://testserver",
        b"http://testserver\x00",
        b"http://user@testserver",
        b" ",
        b"",
    ],
)
def test_an_origin_that_is_not_exactly_the_sites_own_is_refused(
    pair: TokenPair, origin: bytes
) -> None:
    assert status(talk(headers=cookie(pair.raw_access, origin))) == 403


@pytest.mark.parametrize("origins", [(OWN, b"https://evil.example"), (b"null", OWN), (OWN, OWN)])
def test_two_origins_are_refused(pair: TokenPair, origins: Any) -> None:
    headers = [*cookie(pair.raw_access, None), *((b"origin", origin) for origin in origins)]
    assert status(talk(headers=headers)) == 403


def test_the_port_of_the_origin_must_be_that_of_the_host(pair: TokenPair) -> None:
    headers = cookie(pair.raw_access, b"http://testserver:8000")
    assert hello(talk(headers=headers, host=b"testserver:8000"))["user"] == "ada"


def test_a_host_that_is_not_allowed_trusts_no_origin(pair: TokenPair) -> None:
    headers = cookie(pair.raw_access, b"http://evil.example")
    assert status(talk(headers=headers, host=b"evil.example")) == 403


def test_a_trusted_origin_of_the_settings_is_accepted(pair: TokenPair, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example", "https://*.pages.example"]
    for origin in (b"https://app.example", b"https://a.pages.example"):
        assert hello(talk(headers=cookie(pair.raw_access, origin)))["user"] == "ada"
    assert (
        status(talk(headers=cookie(pair.raw_access, b"https://pages.example.evil.example"))) == 403
    )


@pytest.mark.parametrize(
    ("forwarded", "is_good"), [(b"https", True), (b"wss", True), (b"ws", False), (b"x", False)]
)
def test_behind_a_proxy_the_origin_must_have_the_scheme_that_it_forwards(
    pair: TokenPair, settings: Any, forwarded: bytes, is_good: bool
) -> None:
    headers = [*cookie(pair.raw_access, b"https://testserver"), (b"x-forwarded-proto", forwarded)]
    assert status(talk(headers=headers)) == 403  # No proxy is trusted yet.
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert (talk(headers=headers)[0]["type"] == "websocket.accept") is is_good


def test_a_header_needs_no_origin_and_a_bad_one_does_not_matter(pair: TokenPair) -> None:
    headers = [*bearer(pair.raw_access), (b"origin", b"https://evil.example")]
    assert hello(talk(headers=headers))["user"] == "ada"


def test_of_two_cookies_with_the_name_the_last_counts_as_in_the_api(pair: TokenPair) -> None:
    name = "latchkey_access"
    for value, is_good in (
        (f"{name}=x; {name}={pair.raw_access}", True),
        (f"{name}={pair.raw_access}; {name}=x", False),
    ):
        sent = talk(headers=[(b"cookie", value.encode()), (b"origin", OWN)])
        assert (sent[0]["type"] == "websocket.accept") is is_good
        # Before 6.0 Django joins two headers by a comma, so that the value is no token.
        lines = [(b"cookie", each.encode()) for each in value.split("; ")]
        sent = talk(headers=[*lines, (b"origin", OWN)])
        is_read = is_good and django.VERSION >= (6, 0)
        assert (sent[0]["type"] == "websocket.accept") is is_read


def test_under_https_only_the_cookie_with_the_prefix_counts(pair: TokenPair, settings: Any) -> None:
    settings.TOKENS_COOKIE_SECURE = True
    unsafe = [(b"cookie", f"latchkey_access={pair.raw_access}".encode()), (b"origin", OWN)]
    assert status(talk(headers=unsafe, required=True)) == 401
    # A browser takes this name from any host of the domain; str.strip() would make it the other.
    spaced = f"\u2000__Host-latchkey_access={pair.raw_access}".encode()
    assert status(talk(headers=[(b"cookie", spaced), (b"origin", OWN)], required=True)) == 401
    own = [(b"cookie", f"__Host-latchkey_access={pair.raw_access}".encode()), (b"origin", OWN)]
    assert hello(talk(headers=own))["user"] == "ada"


@pytest.mark.parametrize("first_is_good", [True, False])
def test_two_authorization_headers_are_refused(pair: TokenPair, first_is_good: bool) -> None:
    two = [*bearer(pair.raw_access), *bearer("x")]
    headers = two if first_is_good else two[::-1]
    assert status(talk(headers=headers)) == 401
    assert status(talk(headers=[*bearer(pair.raw_access), *bearer(pair.raw_access)])) == 401

    async def view(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, str(await user_of(scope)))

    assert ask(view, *headers)[1]["body"] == b"AnonymousUser"


def test_another_scheme_before_ours_is_no_credential(pair: TokenPair) -> None:
    headers = [(b"authorization", b"Basic YTpi"), *bearer(pair.raw_access)]
    assert hello(talk(headers=headers))["user"] == "AnonymousUser"
    assert status(talk(headers=headers, required=True)) == 401


def test_the_application_finds_the_token_nowhere_in_the_scope(pair: TokenPair) -> None:
    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    name = b"sec-websocket-protocol"
    for rest, left in (("", []), (", chat, \u20ac", [(name, b"chat, ?")])):
        offered = ["latchkey.bearer", pair.raw_access, *rest.split(", ")[1:]]
        line = (name, f"latchkey.bearer, {pair.raw_access}{rest}".encode())
        talk(headers=[line], subprotocols=offered, app=app)
        scope = scopes.pop()
        assert [pair for pair in scope["headers"] if pair[0] == name] == left
        assert pair.raw_access not in repr(scope)


def test_two_tokens_among_the_subprotocols_are_refused(pair: TokenPair) -> None:
    offered = ["latchkey.bearer", pair.raw_access]
    assert status(talk(subprotocols=offered * 2)) == 401
    assert status(talk(subprotocols=[*offered, "latchkey.bearer"])) == 401


WAYS: dict[str, Callable[[str], Any]] = {
    "header": lambda token: {"headers": bearer(token)},
    "cookie": lambda token: {"headers": cookie(token)},
    "subprotocol": lambda token: {"subprotocols": ["latchkey.bearer", token]},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_refresh_token_opens_no_websocket(pair: TokenPair, way: str) -> None:
    assert status(talk(**WAYS[way](pair.raw_refresh))) == 401
    assert sessions.refresh(pair.raw_refresh)  # Nor does that count as its use.


def test_a_refresh_token_in_a_message_is_refused(pair: TokenPair) -> None:
    assert talk(authenticate(pair.raw_refresh), first_message=True)[-1]["code"] == 4401
    sent = talk(authenticate(pair.raw_refresh), headers=bearer(pair.raw_access))
    assert json.loads(sent[2]["text"])["type"] == "authentication_failed"


def test_a_message_before_the_token_never_reaches_the_application(pair: TokenPair) -> None:
    sent = talk("rm -rf", authenticate(pair.raw_access), first_message=True)
    assert [each["type"] for each in sent] == ["websocket.accept", "websocket.close"]


@pytest.mark.parametrize("first", [b"x" * 1_000_000, "\0" * 9000, '{"type": "authenticate"', ""])
def test_a_first_message_that_is_no_token_closes_the_socket(db: None, first: Any) -> None:
    assert talk(first, first_message=True)[-1]["code"] == 4401


def test_a_message_with_a_token_must_be_short(pair: TokenPair) -> None:
    long = authenticate(pair.raw_access).ljust(9001)
    assert talk(long, first_message=True)[-1]["code"] == 4401
    sent = talk(long, long[:9000], headers=bearer(pair.raw_access))
    answers = [json.loads(each["text"])["type"] for each in sent[2:]]
    assert answers == ["authentication_failed", "authenticated"]


def test_a_token_in_a_binary_message_is_refused(pair: TokenPair) -> None:
    first = authenticate(pair.raw_access).encode()
    assert talk(first, first_message=True)[-1]["code"] == 4401


@pytest.mark.parametrize("token", ["", "\ud800", "\0", ".", "a.b.c", "é" * 3, "x" * 8192, "٣.٣.٣"])
def test_text_that_is_no_token_is_refused(pair: TokenPair, token: str) -> None:
    assert talk(authenticate(token), first_message=True)[-1]["code"] == 4401
    sent = talk(authenticate(token), "hi", headers=bearer(pair.raw_access))
    assert json.loads(sent[2]["text"])["code"] == "token_not_valid"
    assert sent[3]["text"] == "hi"


def test_a_message_with_a_member_twice_or_more_members_is_refused(pair: TokenPair) -> None:
    more = json.dumps({"type": "authenticate", "token": pair.raw_access, "user": "root"})
    assert talk(more, first_message=True)[-1]["code"] == 4401
    # The last counts, as everywhere in Python, and no other program reads the message.
    twice = f'{{"type": "authenticate", "token": "{pair.raw_access}", "token": "x"}}'
    assert talk(twice, first_message=True)[-1]["code"] == 4401


def test_many_sockets_that_wait_are_all_closed_and_forgotten(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "FIRST_MESSAGE_WITHIN", 0.3)
    many = 500
    closed: list[Any] = []

    async def open_one() -> None:
        incoming: asyncio.Queue[Any] = asyncio.Queue()
        await incoming.put({"type": "websocket.connect"})

        async def send(message: Any) -> None:
            closed.append(message.get("code"))

        scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
        app: Any = None
        await JWTMiddleware(app, first_message=True)(scope, incoming.get, send)

    async def story() -> int:
        loop = asyncio.get_running_loop()
        running = [asyncio.ensure_future(open_one()) for _ in range(many)]
        await asyncio.wait_for(asyncio.gather(*running), 30)
        return len(deadlines._of_loops[loop]._waiting)

    assert async_to_sync(story)() == 0
    assert closed.count(4401) == many


def test_a_socket_that_left_is_forgotten_when_its_time_is_over(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "FIRST_MESSAGE_WITHIN", 0.05)

    async def story() -> int:
        for _ in range(100):
            deadlines.begin().cancel()
        await asyncio.sleep(0.2)
        gc.collect()
        return len(deadlines._of_loops[asyncio.get_running_loop()]._waiting)

    assert async_to_sync(story)() == 0


def test_a_renewal_with_another_users_token_is_refused(
    pair: TokenPair, django_user_model: Any
) -> None:
    other = sessions.start(django_user_model.objects.create_user("eve"))
    sent = talk(authenticate(other.raw_access), "hi", headers=bearer(pair.raw_access))
    assert json.loads(sent[2]["text"]) == {
        "type": "authentication_failed",
        "code": "token_not_valid",
    }
    assert sent[3]["text"] == "hi"  # The connection is what it was before.


def test_a_flood_of_renewals_is_slowed_down(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewing, "RENEWED_EVERY", 0.2)
    began = time.monotonic()
    sent = talk(*[authenticate(pair.raw_access)] * 4, "hi", headers=bearer(pair.raw_access))
    assert time.monotonic() - began >= 0.6
    assert [json.loads(each["text"])["type"] for each in sent[2:6]] == ["authenticated"] * 4
    assert sent[6]["text"] == "hi"

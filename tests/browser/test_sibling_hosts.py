"""
What another host of the same domain can do to a browser that is signed in here.

Such a host can set cookies for the whole domain. Chromium decides which of them it takes and sends.
"""

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import QuietWSGIRequestHandler
from playwright.sync_api import Browser, Page

from tests.conftest import PASSWORD
from tests.support.certificates import make_certificate
from tokens import keyring, sessions
from tokens.models import Session

APP, SIBLING = "app.example.test", "evil.example.test"

SIGN_IN = """async ([name, password]) => {
    const { csrf_token } = await (await fetch("/api/token/cookie/")).json();
    const answer = await fetch("/api/token/cookie/", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrf_token },
        body: JSON.stringify({ username: name, password }),
    });
    return answer.status;
}"""
POST = """async (path) => {
    const csrf = document.cookie.match(/csrftoken=([^;]+)/)[1];
    const answer = await fetch(path, { method: "POST", headers: { "X-CSRFToken": csrf } });
    return answer.status;
}"""
NAME = """async () => (await (await fetch("/api/me/")).json()).username ?? null"""

# The names under which the other host tries to set its own tokens.
PREFIXES = [
    "",
    "__Secure-",
    "__Host-",
    "__host-",
    "\u2000__Host-",
    "\u3000__Host-",
    "\xa0__Host-",
]
PLANT = """([name, value, path]) => {
    document.cookie = `${name}=${value}; Domain=example.test; Path=${path}; Secure`;
}"""


@pytest.fixture
def origins(settings: Any, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Serve the site with TLS to both hosts, and return the origin of each."""
    settings.ALLOWED_HOSTS = [APP, SIBLING]
    settings.TOKENS_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    keyring.ensure()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(tmp_path, APP, SIBLING))
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietWSGIRequestHandler)
    # The handshake belongs to the connection's own thread: a browser also opens idle connections.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.base_environ["HTTPS"] = "on"
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield {host: f"https://{host}:{server.server_port}" for host in (APP, SIBLING)}
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def pages(chromium: Browser, origins: dict[str, str]) -> Iterator[tuple[Page, Page]]:
    """Return a page of this site and one of the other host, in one profile of the browser."""
    context = chromium.new_context(ignore_https_errors=True)
    context.set_default_timeout(15_000)  # milliseconds
    here, there = context.new_page(), context.new_page()
    here.goto(origins[APP] + "/healthz")
    there.goto(origins[SIBLING] + "/healthz")
    yield here, there
    context.close()


@pytest.fixture
def mallory(django_user_model: Any) -> sessions.TokenPair:
    return sessions.start(django_user_model.objects.create_user("mallory"))


def plant(there: Page, pair: sessions.TokenPair) -> None:
    for prefix in PREFIXES:
        for name, value in (
            ("latchkey_access", pair.raw_access),
            ("latchkey_refresh", pair.raw_refresh),
            ("latchkey_logout", pair.raw_refresh),
        ):
            for path in ("/", "/api/", "/api/token/cookie/refresh/", "/api/logout/", "/api/me/"):
                there.evaluate(PLANT, [prefix + name, value, path])


def test_another_host_does_not_make_a_user_work_as_another_user(
    pages: tuple[Page, Page], user: Any, mallory: sessions.TokenPair
) -> None:
    here, there = pages
    assert here.evaluate(SIGN_IN, [user.username, PASSWORD]) == 200
    plant(there, mallory)
    sent = {str(cookie["name"]) for cookie in here.context.cookies(here.url)}
    assert {
        "latchkey_refresh",
        "__Secure-latchkey_refresh",
        "\u2000__Host-latchkey_refresh",
    } <= sent
    assert here.evaluate(NAME) == "ada"
    assert here.evaluate(POST, "/api/token/cookie/refresh/") == 200
    assert here.evaluate(NAME) == "ada"
    assert here.evaluate(POST, "/api/logout/") == 204
    assert here.evaluate(NAME) is None
    assert here.evaluate(POST, "/api/token/cookie/refresh/") == 401
    assert list(Session.objects.filter(ended_at=None)) == [mallory.session]


def test_another_host_does_not_sign_a_visitor_in(
    pages: tuple[Page, Page], mallory: sessions.TokenPair
) -> None:
    here, there = pages
    here.evaluate("fetch('/api/token/cookie/')")  # The CSRF cookie.
    plant(there, mallory)
    assert here.evaluate(NAME) is None
    assert here.evaluate(POST, "/api/token/cookie/refresh/") == 401
    assert here.evaluate(NAME) is None

"""The gateways in docs/gateways.md, each run between the site and a service that has no tokens."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.proxies.conftest import PASSWORD
from tests.support.ports import free_port
from tests.support.processes import RunningSite
from tests.support.web_proxies import Running, WebClient, running_proxy

FORGED = {"X-Auth-Request-User": "somebody", "X-Auth-Request-Session": "else"}


class Echo(BaseHTTPRequestHandler):
    """A service that answers with the headers of the request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps(dict(self.headers)).encode()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[int]:
    """Return the port of the service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=["nginx", "caddyfile"])
def gateway(
    request: pytest.FixtureRequest, site: RunningSite, service: int, tmp_path: Path
) -> Iterator[Running]:
    port = int(site.base.rpartition(":")[2])
    targets = {8000: port, 9000: service}
    with running_proxy(request.param, "gateways.md", tmp_path, targets=targets) as gateway:
        yield gateway


def test_the_service_gets_the_ids_and_no_token(gateway: Running) -> None:
    client = WebClient(gateway, "127.0.0.9")
    assert client.sign_in("bob", PASSWORD).status == 200
    client.cookies |= {"theme": "dark", "a": "b"}
    reply = client.send("GET", "/reports/1", headers={"Accept": "text/html", **FORGED})
    assert reply.status == 200, reply.body
    got = {name.lower(): value for name, value in json.loads(reply.body).items()}
    assert UUID(got["x-auth-request-user"])
    sessions = json.loads(client.send("GET", "/api/sessions/").body)["results"]
    assert got["x-auth-request-session"] in {each["id"] for each in sessions if each["current"]}
    cookies = dict(pair.strip().split("=", 1) for pair in got["cookie"].split(";") if pair.strip())
    assert cookies.keys() == {"csrftoken", "theme", "a"}

    # By header.
    pair = json.loads(
        WebClient(gateway, "127.0.0.9")
        .send("POST", "/api/token/", form={"username": "bob", "password": PASSWORD})
        .body
    )
    bearer = {"Authorization": f"Bearer {pair['access']}", **FORGED}
    reply = WebClient(gateway, "127.0.0.9").send("POST", "/reports/1", body=b"x", headers=bearer)
    assert reply.status == 200
    got = {name.lower(): value for name, value in json.loads(reply.body).items()}
    assert UUID(got["x-auth-request-user"])
    assert not got.get("authorization")
    assert pair["access"] not in reply.body.decode()


@pytest.mark.parametrize(
    ("language", "status"), [("nginx", 500), ("caddyfile", 502), ("yaml", 500)]
)
def test_while_the_site_does_not_answer_nothing_reaches_the_service(
    language: str, status: int, service: int, tmp_path: Path
) -> None:
    targets = {8000: free_port(), 9000: service}
    with running_proxy(language, "gateways.md", tmp_path, targets=targets) as gateway:
        bearer = {"Authorization": "Bearer x", **FORGED}
        reply = WebClient(gateway, "127.0.0.9").send("GET", "/reports/1", headers=bearer)
    assert reply.status == status
    assert b"somebody" not in reply.body


def test_traefik_lets_only_checked_requests_through_and_removes_the_tokens(
    site: RunningSite, service: int, tmp_path: Path
) -> None:
    targets = {8000: int(site.base.rpartition(":")[2]), 9000: service}
    with running_proxy("yaml", "gateways.md", tmp_path, targets=targets) as gateway:
        client = WebClient(gateway, "127.0.0.10")
        assert client.send("GET", "/reports/1", headers=FORGED).status == 401
        assert client.sign_in("bob", PASSWORD).status == 200
        by_cookie = client.send("GET", "/reports/1", headers=FORGED)
        # Without CSRF_TRUSTED_ORIGINS, and whatever method the client claims.
        lies = {**client.csrf(), "X-Original-Method": "GET", "X-Forwarded-Method": "GET"}
        assert client.send("POST", "/reports/1", body=b"x", headers=lies).status == 403
        form = {"username": "bob", "password": PASSWORD}
        reply = WebClient(gateway, "127.0.0.10").send("POST", "/api/token/", form=form)
        raw_access = json.loads(reply.body)["access"]
        bearer = {"Authorization": f"Bearer {raw_access}", **FORGED}
        stranger = WebClient(gateway, "127.0.0.10")
        by_header = stranger.send("POST", "/reports/1", body=b"x", headers=bearer)
        for reply in (by_cookie, by_header):
            assert reply.status == 200
            got = {name.lower(): value for name, value in json.loads(reply.body).items()}
            assert UUID(got["x-auth-request-user"])
            assert UUID(got["x-auth-request-session"])
            assert not got.keys() & {"authorization", "cookie"}
        assert client.send("POST", "/api/logout/", headers=client.csrf()).status == 204
        assert client.send("GET", "/reports/1").status == 401


def test_nothing_else_reaches_the_service(gateway: Running) -> None:
    reply = WebClient(gateway, "127.0.0.9").send(
        "GET", "/reports/1", headers={"Accept": "text/html", **FORGED}
    )
    assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert b"somebody" not in reply.body

    client = WebClient(gateway, "127.0.0.9")
    assert client.sign_in("bob", PASSWORD).status == 200
    csrf = client.csrf()
    assert client.send("POST", "/reports/1", body=b"x", headers=csrf).status == 200
    assert client.send("POST", "/reports/1", body=b"x").status == 403
    # A client cannot say that its method is another one.
    lies = {"X-Original-Method": "GET", "X-Forwarded-Method": "GET"}
    assert client.send("POST", "/reports/1", body=b"x", headers=lies).status == 403
    elsewhere = {**csrf, "Origin": "https://evil.example"}
    assert client.send("POST", "/reports/1", body=b"x", headers=elsewhere).status == 403

    kept = dict(client.cookies)
    assert client.send("POST", "/api/logout/", headers=csrf).status == 204
    client.cookies = kept
    assert client.send("GET", "/reports/1").status == 401

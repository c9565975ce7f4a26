"""The gateways in docs/gateways.md, each run between the site and a service that has no tokens."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from django.urls import reverse

from tests.proxies.conftest import PASSWORD
from tests.support.ports import free_port
from tests.support.processes import RunningSite
from tests.support.web_proxies import Running, WebClient, blocks_of, running_proxy
from tokens.api.check_view import SESSION_HEADER, USER_HEADER

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


@pytest.mark.parametrize(("language", "status"), [("nginx", 500), ("caddyfile", 502)])
def test_while_the_site_does_not_answer_nothing_reaches_the_service(
    language: str, status: int, service: int, tmp_path: Path
) -> None:
    targets = {8000: free_port(), 9000: service}
    with running_proxy(language, "gateways.md", tmp_path, targets=targets) as gateway:
        bearer = {"Authorization": "Bearer x", **FORGED}
        reply = WebClient(gateway, "127.0.0.9").send("GET", "/reports/1", headers=bearer)
    assert reply.status == status
    assert b"somebody" not in reply.body


def test_the_names_in_the_configuration_of_traefik_fit() -> None:
    """Traefik itself was not run."""
    (block,) = blocks_of("gateways.md", "yaml")
    told = yaml.safe_load(block)["http"]
    assert told.keys() == {"routers", "middlewares", "services"}
    used = {name for router in told["routers"].values() for name in router.get("middlewares", [])}
    assert used == told["middlewares"].keys()
    assert {router["service"] for router in told["routers"].values()} == told["services"].keys()
    check = told["middlewares"]["check"]["forwardAuth"]
    assert check["address"].endswith(reverse("tokens_check"))
    assert check["trustForwardHeader"] is False
    assert set(check["authResponseHeaders"]) == {USER_HEADER, SESSION_HEADER}
    # The check comes first: it needs what the service must not get.
    assert told["routers"]["reports"]["middlewares"] == ["check", "without-tokens"]
    removed = told["middlewares"]["without-tokens"]["headers"]["customRequestHeaders"]
    assert removed == {"Authorization": "", "Cookie": ""}


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

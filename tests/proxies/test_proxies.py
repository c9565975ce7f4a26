"""The configurations in docs/deployment.md, each run in front of the site."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import randrange

import pytest

from tests.proxies.conftest import PASSWORD
from tests.support.processes import RunningSite
from tests.support.web_proxies import HOST, Running, WebClient, running_proxy

FORGED = {
    "X-Forwarded-For": "6.6.6.6",
    "Forwarded": "for=6.6.6.6;proto=http",
    "X-Real-IP": "6.6.6.6",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Request-ID": "an-id-of-the-client",
}


@pytest.fixture(params=["nginx", "caddyfile", "haproxy"])
def proxy(request: pytest.FixtureRequest, site: RunningSite, tmp_path: Path) -> Iterator[Running]:
    port = int(site.base.rpartition(":")[2])
    with running_proxy(request.param, "deployment.md", tmp_path, targets={8000: port}) as proxy:
        yield proxy


@pytest.fixture
def addresses() -> Iterator[str]:
    """Return addresses of this machine, which no other test has used."""
    return (f"127.{randrange(1, 255)}.{randrange(256)}.{number}" for number in range(2, 250))


def addresses_in(client: WebClient, headers: Mapping[str, str] | None = None) -> list[str]:
    reply = client.send("GET", "/api/sessions/", headers=headers)
    assert reply.status == 200, reply.body
    return [session["ip_address"] for session in json.loads(reply.body)["results"]]


def test_everything_works_behind_the_proxy(proxy: Running, addresses: Iterator[str]) -> None:
    client, admin = WebClient(proxy, next(addresses)), WebClient(proxy, next(addresses))

    # Sign in and refresh by cookie, with a client address that nobody forged.
    reply = client.sign_in("ada", PASSWORD, FORGED)
    assert reply.status == 200, reply.body
    assert {"__Host-latchkey_access", "__Host-latchkey_refresh"} <= client.cookies.keys()
    assert reply.headers["X-Request-ID"] != FORGED["X-Request-ID"]
    assert addresses_in(client, FORGED)[0] == client.address
    reply = client.send("POST", "/api/token/cookie/refresh/", headers=client.csrf())
    assert reply.status == 200, reply.body

    # Sign in to the admin by its form.
    admin.send("GET", "/admin/login/")
    form = {
        "username": "ada",
        "password": PASSWORD,
        "csrfmiddlewaretoken": admin.cookies["csrftoken"],
    }
    reply = admin.send("POST", "/admin/login/?next=/admin/", form=form)
    assert (reply.status, reply.headers["Location"]) == (302, "/admin/"), reply.body
    assert admin.send("GET", "/admin/").status == 200
    assert addresses_in(client)[:2] == [admin.address, client.address]

    # A page of another origin cannot use the cookies.
    elsewhere = {"Origin": "https://evil.example", **client.csrf()}
    assert client.send("POST", "/api/logout/", headers=elsewhere).status == 403
    assert client.send("POST", "/api/logout/", headers=client.csrf()).status == 204

    # Without TLS the site itself answers, whatever the client claims.
    reply = client.send("GET", "/", tls=False, headers={**FORGED, "X-Forwarded-Proto": "https"})
    assert (reply.status, reply.headers["Location"]) == (301, f"https://{HOST}:{proxy.http}/")

    json_type = {"Content-Type": "application/json"}
    body = b"x" * 4_000_000
    # The site answers before it has the body. Caddy takes that for a failure if it is still sending.
    assert client.send("POST", "/api/token/", body=body, headers=json_type).status in {413, 502}


def test_wrong_passwords_of_one_client_keep_no_other_from_signing_in(
    proxy: Running, addresses: Iterator[str]
) -> None:
    guesser, other = WebClient(proxy, next(addresses)), WebClient(proxy, next(addresses))
    statuses = [
        guesser.sign_in(
            f"nobody-{number}", "wrong", {**FORGED, "X-Forwarded-For": f"6.6.6.{number}"}
        ).status
        for number in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2
    assert guesser.sign_in("bob", PASSWORD).status == 429
    assert other.sign_in("bob", PASSWORD).status == 200

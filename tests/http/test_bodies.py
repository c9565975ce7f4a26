"""A chunked body is read like any other, up to the limit, whatever client sends it."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests

from tests.conftest import PASSWORD
from tokens.models import Session
from tokens.sessions import TokenPair

from .conftest import Served

LIMIT = 2_621_440  # bytes: Django's default of DATA_UPLOAD_MAX_MEMORY_SIZE
CREDENTIALS = {"username": "ada", "password": PASSWORD}


def send(
    served: Served, path: str, media_type: str, body: bytes, size: int = 7
) -> requests.Response:
    """Send the body as an iterator, as a client does that does not know its length."""
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    at = f"http://127.0.0.1:{served.client.at[1]}{path}"
    return requests.post(at, data=pieces, headers={"Content-Type": media_type}, timeout=60)


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", json.dumps(CREDENTIALS).encode()),
        ("application/x-www-form-urlencoded", urlencode(CREDENTIALS).encode()),
        (
            "multipart/form-data; boundary=b",
            b"".join(
                f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                for name, value in CREDENTIALS.items()
            )
            + b"--b--\r\n",
        ),
    ],
)
def test_a_chunked_body_signs_in(
    served: Served, pair: TokenPair, media_type: str, body: bytes
) -> None:
    answer = send(served, "/api/token/", media_type, body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("path", "member", "status"),
    [
        ("/api/token/refresh/", "refresh", 200),
        ("/api/token/revoke/", "token", 200),
        ("/api/token/blacklist/", "refresh", 200),
        ("/api/logout/", "refresh", 204),
    ],
)
def test_a_chunked_body_reaches_every_verb(
    served: Served, pair: TokenPair, path: str, member: str, status: int
) -> None:
    body = json.dumps({member: pair.raw_refresh}).encode()
    assert send(served, path, "application/json", body).status_code == status
    session = Session.objects.get(pk=pair.session.pk)
    assert (session.ended_at is None) == (member == "refresh" and "token/refresh" in path)


def test_a_project_view_and_a_page_read_it_too(served: Served, pair: TokenPair) -> None:
    form = "application/x-www-form-urlencoded"
    # Django's own check of the CSRF token reads the form.
    assert send(served, "/admin/login/", form, b"username=ada").status_code == 403


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_chunked_body_over_the_limit_is_a_413(served: Served, media_type: str) -> None:
    answer = send(served, "/api/token/", media_type, b"a" * (LIMIT + 1), size=65536)
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/json")
    fits = send(served, "/api/token/", "application/json", b" " * (LIMIT - 2) + b"{}", size=65536)
    assert fits.status_code == 400
    assert set(fits.json()) == {"username", "password"}


def test_an_empty_chunked_body_is_an_empty_body(served: Served) -> None:
    answer = served.client.raw(
        b"POST /api/token/refresh/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    assert answer.json() == {"refresh": ["This field is required."]}


BROKEN = {
    "a bad size": b"x\r\n{}\r\n0\r\n\r\n",
    "no end of a chunk": b"2\r\n{}XX0\r\n\r\n",
    "a bad trailer": b"2\r\n{}\r\n0\r\nX Y: z\r\n\r\n",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("path", ["/api/token/refresh/", "/healthz", "/admin/login/"])
def test_a_malformed_chunk_is_a_400_and_nothing_behind_it_is_answered(
    served: Served, path: str, body: bytes
) -> None:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    ).encode()
    behind = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    answer = served.client.raw(head + body, behind, hang_up=False)
    assert set(answer.statuses) == {400}
    assert "Traceback" not in served.printed()


def test_two_chunked_requests_on_one_connection_are_both_read(
    served: Served, pair: TokenPair
) -> None:
    connection = http.client.HTTPConnection(*served.client.at, timeout=60)

    def body() -> Iterator[bytes]:
        yield json.dumps({"token": pair.raw_access}).encode()

    for _ in range(3):
        connection.request(
            "POST", "/api/token/verify/", body(), {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"{}")
    connection.close()

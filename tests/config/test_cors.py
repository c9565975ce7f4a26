"""What pages of other origins may send to the API, and read of its answers."""

from typing import Any

import pytest
from django.test import Client

APP = "https://app.example"
ELSEWHERE = "https://elsewhere.example"
JWKS = "/.well-known/jwks.json"


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


def preflight(client: Client, path: str, *, origin: str, method: str, headers: str = "") -> Any:
    return client.options(
        path,
        HTTP_ORIGIN=origin,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD=method,
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS=headers,
    )


@pytest.mark.django_db
def test_a_page_reads_when_to_come_back_why_it_was_refused_and_the_id(client: Client) -> None:
    answer = client.get("/api/me/", HTTP_ORIGIN=APP)
    exposed = words(answer["Access-Control-Expose-Headers"])
    assert exposed == {"retry-after", "www-authenticate", "x-request-id"}
    assert answer["Access-Control-Allow-Origin"] == APP


def test_a_page_sends_its_token_an_id_and_a_trace(client: Client) -> None:
    answer = preflight(client, "/api/me/", origin=APP, method="GET")
    sent = {"authorization", "content-type", "x-request-id", "traceparent", "tracestate", "baggage"}
    assert sent <= words(answer["Access-Control-Allow-Headers"])


@pytest.mark.django_db
@pytest.mark.parametrize("origin", [APP, ELSEWHERE, "null"])
def test_pages_of_every_origin_read_the_keys(client: Client, origin: str) -> None:
    asked = preflight(client, JWKS, origin=origin, method="GET", headers="if-none-match")
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Headers"] == "*"
    assert "GET" in words(asked["Access-Control-Allow-Methods"]) or "get" in words(
        asked["Access-Control-Allow-Methods"]
    )
    for answer in (asked, client.get(JWKS, HTTP_ORIGIN=origin), client.post(JWKS)):
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer


def test_other_origins_read_nothing_else(client: Client) -> None:
    answer = preflight(client, "/api/me/", origin=ELSEWHERE, method="GET")
    assert "Access-Control-Allow-Origin" not in answer

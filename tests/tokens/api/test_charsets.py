"""A Content-Type that Django fails on is refused, also in a project that has only this app."""

from typing import Any

import django
import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from rest_framework.test import APIClient

from tokens.api import charsets

BAD = [
    "text/plain; charset=rot13",
    "text/plain; charset=undefined",
    "text/plain; charset=punycode",
    "a; x*=idna''x%ff",
]
MIDDLEWARE = "tokens.api.middleware.ReadableRequestMiddleware"


@pytest.fixture
def without_middleware(settings: Any) -> None:
    """Install the app without its middleware for requests that cannot be read."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != MIDDLEWARE]


@pytest.mark.parametrize("content_type", BAD)
def test_the_middleware_refuses_it_at_every_address(client: Client, content_type: str) -> None:
    for path in ("/healthz?a=b", "/api/me/?a=b", "/admin/"):
        answer = client.generic("GET", path, content_type=content_type, CONTENT_TYPE=content_type)
        assert (answer.status_code, answer.json()) == (400, {"detail": charsets.REFUSAL})


@pytest.mark.usefixtures("without_middleware")
@pytest.mark.parametrize("content_type", BAD)
def test_without_it_the_views_of_the_app_refuse_it_and_no_other_fails(
    api: APIClient, db: None, content_type: str
) -> None:
    answer = api.generic("POST", "/api/token/verify/?a=b", "{}", content_type)
    assert (answer.status_code, answer.json()) == (400, {"detail": charsets.REFUSAL})
    assert api.generic("POST", "/healthz?a=b", "{}", content_type).status_code == 405


@pytest.mark.parametrize("content_type", BAD)
def test_asgi_refuses_it_too(content_type: str) -> None:
    @async_to_sync
    async def ask(*request: Any) -> Any:
        return await AsyncClient().generic(*request)

    answer = ask("POST", "/healthz?a=b", "{}", content_type)
    assert (answer.status_code, answer.json()) == (400, {"detail": charsets.REFUSAL})
    assert ask("POST", "/healthz?a=b", "{}", "text/plain; charset=utf-8").status_code == 405


def test_the_type_without_its_parameters_stays_for_the_log(client: Client) -> None:
    for long, short in (
        ("text/plain; charset=rot13", "text/plain"),
        ("a" * 300 + ";charset=\0", ""),
    ):
        environ = {"CONTENT_TYPE": long}
        charsets.prepare(environ=environ)
        assert environ["CONTENT_TYPE"] == short


def test_a_request_of_neither_protocol_is_left_alone() -> None:
    charsets.prepare()


@pytest.mark.parametrize(
    ("content_type", "query", "usable"),
    [
        ("", "a=b", True),
        (None, "a=b", True),
        ("application/json", "a=b", True),
        ("application/json; charset=utf-8", "", True),
        ("application/json; charset=utf-8", b"a=b", True),
        ("application/json; charset=utf-8", "a=\xe9", True),
        ("application/json; charset=utf-8", "a&" * 1001, False),
        ("application/json; version=1", "a=b", True),
        ("application/json; charset=nonsense", "a=b", True),
        ("application/json; charset=utf-16", "", True),
        ("application/json; charset=utf-16", "a=bc", False),
        ("application/json; charset=cp037", "a=b", False),
        ("application/json; charset=a\x00b", "", False),
        ("a" * 20_000, "", django.VERSION < (6, 0)),  # Newer ones read no header of that length.
        (b"application/json; charset=utf-8", "", False),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_only_what_django_reads_right_is_usable(
    content_type: Any, query: str | bytes, usable: bool
) -> None:
    assert charsets.is_usable(content_type, query) == usable

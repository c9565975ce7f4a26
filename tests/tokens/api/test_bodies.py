"""Bodies without a Content-Length, as servers hand them to an app without its middleware."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, UnreadablePostError
from django.test import AsyncRequestFactory, RequestFactory
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.test import APIClient

from tokens.api import bodies
from tokens.api.exception_handler import exception_handler
from tokens.api.parsers import CarefulJSONParser
from tokens.api.views import TokenView

BODY = b'{"refresh": "x"}'
CHUNKED: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "chunked"}


def chunked(stream: Any) -> HttpRequest:
    """Return a request as gunicorn makes it from a chunked one."""
    environ = RequestFactory().generic("POST", "/").META
    more = {"wsgi.input": stream, "wsgi.input_terminated": True}
    return WSGIRequest({**environ, **more, **CHUNKED, "CONTENT_TYPE": "application/json"})


def terminated(body: bytes) -> dict[str, Any]:
    """Return what a server adds to the environ of a request whose body it ends by itself."""
    return {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True}


class Broken(BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise ValueError("invalid chunk size: the token of somebody")


def test_the_body_is_there_for_django_and_for_drf() -> None:
    request = chunked(BytesIO(BODY))
    bodies.make_readable(request)
    assert request.body == BODY
    assert Request(request, parsers=[CarefulJSONParser()]).data == json.loads(BODY)


def test_it_is_there_after_another_middleware_found_none() -> None:
    request = chunked(BytesIO(BODY))
    assert request.body == b""
    assert not request.POST
    bodies.make_readable(request)
    assert request.body == BODY


def test_no_body_is_no_body() -> None:
    request = chunked(BytesIO())
    bodies.make_readable(request)
    assert request.body == b""
    assert "CONTENT_LENGTH" not in request.META


@pytest.mark.parametrize("size", [65_535, 1_000_000])
def test_a_body_over_the_limit_is_too_large(settings: Any, size: int) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 60_000
    with pytest.raises(RequestDataTooBig):
        bodies.make_readable(chunked(BytesIO(b"a" * size)))
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    request = chunked(BytesIO(b"a" * size))
    bodies.make_readable(request)
    assert len(request.body) == size


def test_a_body_with_a_length_is_left_to_django() -> None:
    request = RequestFactory().post("/", BODY, content_type="application/json")
    bodies.make_readable(request)
    assert request.body == BODY


def test_a_malformed_chunk_is_a_parse_error_without_its_content() -> None:
    with pytest.raises(ParseError, match="could not be read: ValueError") as caught:
        bodies.make_readable(chunked(Broken()))
    assert "somebody" not in str(caught.value)


def test_a_server_that_does_not_find_the_end_is_told_to_ask_for_a_length(api: APIClient) -> None:
    answer = api.generic("POST", "/api/token/verify/", **CHUNKED)
    assert answer.status_code == 411
    assert "Send a Content-Length" in answer.json()["detail"]


def test_the_limit_is_a_413_in_every_view(api: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    for path in ("/api/token/verify/", "/admin/login/"):
        answer = api.generic("POST", path, **terminated(BODY))
        assert (answer.status_code, answer["Content-Type"]) == (413, "application/json")


@pytest.mark.parametrize("body", [BODY, b""])
def test_an_asgi_request_without_a_length_gets_it(body: bytes) -> None:
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    request = ASGIRequest(scope, BytesIO(body))
    bodies.make_readable(request)
    assert request.META.get("CONTENT_LENGTH", "") == (str(len(body)) if body else "")
    assert request.body == body


def test_an_asgi_request_of_djangos_test_client_is_left_alone() -> None:
    request = AsyncRequestFactory().get("/")
    bodies.make_readable(request)
    assert request.body == b""


def test_the_views_of_the_app_read_it_without_a_middleware(api: APIClient, settings: Any) -> None:
    settings.MIDDLEWARE = []
    answer = api.generic("POST", "/api/token/refresh/", "", "application/json", **terminated(BODY))
    assert answer.json()["code"] == "token_not_valid"


def test_a_client_that_hangs_up_within_its_body_is_a_400() -> None:
    context = {"view": TokenView(), "request": Request(RequestFactory().post("/"))}
    answer = exception_handler(UnreadablePostError("the connection was closed"), context)
    assert answer is not None
    assert answer.status_code == 400

"""
A request id, sent in the answer and added to every line that is logged during the request.

A proxy may send its own, so that one id can be followed through several services. A client may not:
it could give its requests the id of another client's request.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse

from tokens.conf import conf

HEADER = "X-Request-ID"

# Long enough to distinguish requests, and too short for a token to be taken as an id and logged.
_SANE = re.compile(r"[A-Za-z0-9._=:-]{8,64}", re.ASCII)
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = _from_proxy(request) or uuid4().hex
        # Not reset here: Django logs a 4xx or 5xx after the last middleware has returned.
        _current.set(request_id)
        response = self.get_response(request)
        response[HEADER] = request_id
        return response


def _from_proxy(request: HttpRequest) -> str | None:
    """Return the id that the request brings, if trusted proxies are in front and it is a sane one."""
    if not conf.TOKENS_TRUSTED_PROXIES:
        return None
    brought = request.headers.get(HEADER)
    return brought if isinstance(brought, str) and _SANE.fullmatch(brought) else None


def current_request_id() -> str | None:
    return _current.get()


def _forget(**kwargs: Any) -> None:
    _current.set(None)


request_finished.connect(_forget, dispatch_uid="config.request_id")

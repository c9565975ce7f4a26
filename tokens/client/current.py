"""The request that is being answered, which ``ClientMiddleware`` keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest

_request: ContextVar[HttpRequest | None] = ContextVar("tokens_request", default=None)


def current_request() -> HttpRequest | None:
    """Return the request that is being answered, None outside of one or without the middleware."""
    return _request.get()


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    """While this runs, ``request`` is the current one."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)

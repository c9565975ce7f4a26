"""The tenant of the current request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_tenant: ContextVar[str] = ContextVar("tenant", default="default")


def current() -> str:
    return _tenant.get()


@contextmanager
def tenant(alias: str) -> Iterator[None]:
    token = _tenant.set(alias)
    try:
        yield
    finally:
        _tenant.reset(token)

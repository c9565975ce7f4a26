"""Middleware for WSGI: ``environ["latchkey"]`` is the token, or None if none is required."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from .errors import VerifyError
from .verifier import Verifier, credential_of

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class TokenMiddleware:
    def __init__(self, app: App, verifier: Verifier, *, required: bool = True) -> None:
        self.app, self.verifier, self.required = app, verifier, required

    def __call__(self, environ: dict[str, Any], answer: Callable[..., Any]) -> Iterable[bytes]:
        try:
            raw = credential_of(environ.get("HTTP_AUTHORIZATION"), required=self.required)
            environ["latchkey"] = self.verifier.verify(raw) if raw else None
        except VerifyError as error:
            answer(f"{error.status} {HTTPStatus(error.status).phrase}", list(error.headers))
            return [error.body]
        return self.app(environ, answer)

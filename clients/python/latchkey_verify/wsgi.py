"""Middleware for WSGI: ``environ["latchkey"]`` is the token, or None where ``required`` is False."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from .errors import NoToken, VerifyError
from .verifier import Verifier, credential_of

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class TokenMiddleware:
    def __init__(self, app: App, verifier: Verifier, *, required: bool = True) -> None:
        self.app, self.verifier, self.required = app, verifier, required

    def __call__(self, environ: dict[str, Any], answer: Callable[..., Any]) -> Iterable[bytes]:
        try:
            raw = credential_of(environ.get("HTTP_AUTHORIZATION"))
            environ["latchkey"] = self.verifier.verify(raw)
        except VerifyError as error:
            if not isinstance(error, NoToken) or self.required:
                status = f"{error.status} {HTTPStatus(error.status).phrase}"
                answer(status, [*error.headers, ("Content-Type", "application/json")])
                return [error.body]
            environ["latchkey"] = None
        return self.app(environ, answer)

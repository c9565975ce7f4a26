"""What other services read without credentials, such as keys: pages of every origin may read it too."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from .. import signals
from ..errors import KeyRingError, with_hint
from .http import DATABASE_ERRORS, Unavailable

METHODS = "GET, HEAD, OPTIONS"
PREFLIGHT_LIFE = 86_400  # seconds

Read = Callable[[HttpRequest], HttpResponseBase]


def answer(request: HttpRequest, read: Read, *, event: str) -> HttpResponseBase:
    """
    Return ``read(request)``, or what a request by another method gets.

    While the key ring or the database is away, log ``event`` and return a 503.
    """
    response: HttpResponseBase
    if request.method == "OPTIONS":
        response = HttpResponse(status=HTTPStatus.NO_CONTENT)
        del response["Content-Type"]
        response["Access-Control-Allow-Methods"] = METHODS
        response["Access-Control-Allow-Headers"] = "*"
        response["Access-Control-Max-Age"] = str(PREFLIGHT_LIFE)
    elif request.method in {"GET", "HEAD"}:
        try:
            response = read(request)
        except (KeyRingError, *DATABASE_ERRORS) as error:
            signals.log(event, level=logging.ERROR, detail=with_hint(error))
            response = refusal(Unavailable.status_code, str(Unavailable.default_detail))
            response["Retry-After"] = str(Unavailable.wait)
    else:
        response = refusal(HTTPStatus.METHOD_NOT_ALLOWED, f'Method "{request.method}" not allowed.')
        response["Allow"] = METHODS
    response["Access-Control-Allow-Origin"] = "*"
    return response


def refusal(status: int, detail: str) -> HttpResponse:
    """Return an error that no cache keeps."""
    response = JsonResponse({"detail": detail}, status=status)
    response["Cache-Control"] = "no-store"
    return response

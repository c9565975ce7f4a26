"""Error pages: JSON under ``/api/`` and ``/.well-known/``, and 503 while the database is down."""

import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import csrf, defaults

from tokens.api.http import DATABASE_ERRORS, Unavailable

from .api_paths import is_api_path


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _json(request, HTTPStatus.BAD_REQUEST) or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _json(request, HTTPStatus.FORBIDDEN) or defaults.permission_denied(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _json(request, HTTPStatus.FORBIDDEN) or csrf.csrf_failure(request, reason=reason)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if response := _json(request, HTTPStatus.NOT_FOUND):
        return response
    return defaults.page_not_found(request, exception or Exception())


def server_error(request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exc_info()[1], DATABASE_ERRORS):
        return _unavailable(request)
    return _json(request, HTTPStatus.INTERNAL_SERVER_ERROR) or defaults.server_error(request)


def _unavailable(request: HttpRequest) -> HttpResponse:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    response = _json(request, status) or HttpResponse(
        Unavailable.default_detail, status=status, content_type="text/plain"
    )
    response["Retry-After"] = str(Unavailable.wait)
    return response


def _json(request: HttpRequest, status: HTTPStatus) -> HttpResponse | None:
    if is_api_path(request.path_info):
        return JsonResponse({"detail": f"{status.phrase}."}, status=status)
    return None

"""Answers in JSON for what goes wrong under ``/api/``, before or after a view of the API runs."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _json(request, HTTPStatus.BAD_REQUEST) or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _json(request, HTTPStatus.FORBIDDEN) or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if response := _json(request, HTTPStatus.NOT_FOUND):
        return response
    return defaults.page_not_found(request, exception or Exception())


def server_error(request: HttpRequest) -> HttpResponse:
    return _json(request, HTTPStatus.INTERNAL_SERVER_ERROR) or defaults.server_error(request)


def _json(request: HttpRequest, status: HTTPStatus) -> HttpResponse | None:
    if request.path_info.startswith(("/api/", "/.well-known/")):
        return JsonResponse({"detail": f"{status.phrase}."}, status=status)
    return None

"""The project's addresses, with a view and a middleware that fail when they are told to."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import failures


class ReportView(APIView):
    """A view of the project, which knows nothing of tokens."""

    def get(self, request: Request) -> Response:
        failures.may_fail("view")
        return Response({"user": str(request.user)})

    post = get


class FailingMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        failures.may_fail("middleware")
        return response


def leak(request: HttpRequest) -> HttpResponse:
    """Do what the app must not do."""
    given = dict(request.POST.items())
    logging.getLogger("project").error("failed with %s", given)
    return failures.fail()  # type: ignore[no-any-return]


urlpatterns = [
    path("api/report/", ReportView.as_view()),
    path("api/leak/", leak),
    path("", include("config.urls")),
]

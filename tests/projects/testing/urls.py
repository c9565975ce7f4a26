from typing import Any

from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class ReportView(APIView):
    """The view that the suites and docs/testing.md call."""

    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        assert request.auth is not None
        claims: Any = request.auth
        return Response({"user": request.user.get_username(), **claims.extra})

    def post(self, request: Request) -> Response:
        return Response({"sent": True})


urlpatterns = [
    path("reports/", ReportView.as_view()),
    path("api/", include("tokens.urls")),
]

"""The project's addresses, with views that accept tickets."""

from typing import Any

from django.http import FileResponse
from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tokens.authentication import JWTAuthentication
from tokens.tickets.authentication import TicketAuthentication


class ReportView(APIView):
    authentication_classes = (TicketAuthentication, JWTAuthentication)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request, name: str = "") -> Response:
        if request.query_params.get("fail"):
            raise RuntimeError("This view fails.")
        claims: Any = request.auth
        fields = {"user": str(request.user), "sid": str(claims.sid)}
        return Response({**fields, "query": request.query_params.urlencode()})

    post = get


class DownloadView(ReportView):
    def get(self, request: Request, name: str = "") -> FileResponse:  # type: ignore[override]
        return FileResponse([b"a,b\n1,2\n"], as_attachment=True, filename="report.csv")


urlpatterns = [
    path("report/", ReportView.as_view()),
    path("report/<str:name>/", ReportView.as_view()),
    path("download/", DownloadView.as_view()),
    path("", include("config.urls")),
]

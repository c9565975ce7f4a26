"""The URLs of the project, and one view that uses only the primary key of the user."""

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class WhoView(APIView):
    def get(self, request: Request) -> Response:
        return Response({"id": str(request.user.pk)})


urlpatterns = [path("who/", WhoView.as_view()), path("", include("config.urls"))]

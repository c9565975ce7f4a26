"""The one address of the bare project, whose answer is that of /api/me/."""

from typing import Any

from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication

from accounts.serializers import me


class MeView(APIView):
    authentication_classes = (JWTAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        user: Any = request.user  # IsAuthenticated guarantees it.
        return Response(me(user))


urlpatterns = [path("api/me/", MeView.as_view())]

"""Async views that answer with the key of the user: without authentication, and with each."""

from typing import Any

from adrf.views import APIView  # type: ignore[import-untyped]
from django.http import HttpRequest, JsonResponse
from django.urls import path
from rest_framework.response import Response
from rest_framework_simplejwt.authentication import JWTAuthentication as SimpleJWTAuthentication

from tokens.authentication import JWTAuthentication, token_required


async def plain(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": str(getattr(request.user, "pk", None))})


async def open_view(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": "1f0d5d3c-3c5f-4f3f-8d8a-0d6d5d4c3b2a"})


class AdrfView(APIView):  # type: ignore[misc]
    permission_classes = ()
    throttle_classes = ()

    async def get(self, request: Any) -> Response:
        return Response({"id": str(request.user.pk)})


def adrf(*classes: Any) -> Any:
    return AdrfView.as_view(authentication_classes=classes)


urlpatterns = [
    path("open/", open_view),
    path("tokens/", token_required(plain)),
    path("adrf/open/", adrf()),
    path("adrf/tokens/", adrf(JWTAuthentication)),
    path("adrf/simplejwt/", adrf(SimpleJWTAuthentication)),
]

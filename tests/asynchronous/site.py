"""A site of async views, plain ones and those of adrf and ninja, with the sync view of DRF beside them."""

import asyncio
from typing import Any

from adrf.views import APIView as AsyncAPIView  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI
from rest_framework.exceptions import APIException
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from tokens import authentication
from tokens.authentication import JWTAuthentication, aauthenticate, arequire, token_required
from tokens.client import current_request


class SyncView(APIView):
    authentication_classes = [JWTAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Any) -> Any:
        return Response(request.user.get_username())

    post = get


class AdrfView(AsyncAPIView):  # type: ignore[misc]
    authentication_classes = [JWTAuthentication]
    permission_classes = [IsAuthenticated]

    async def get(self, request: Any) -> Any:
        user = await request.auser()
        return Response(user.get_username())

    post = get


@token_required
async def plain(request: Any) -> HttpResponse:
    await asyncio.sleep(0)
    current: Any = current_request()
    assert current.path == request.path
    user = await request.auser()
    assert user.pk == request.user.pk == request.auth.user.pk
    return HttpResponse(user.get_username())


@token_required
async def pk(request: Any) -> HttpResponse:
    return HttpResponse(str(request.user.pk))


async def optional(request: HttpRequest) -> HttpResponse:
    found = await aauthenticate(request)
    return HttpResponse("none" if found is None else found.claims.sub)


async def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by Django's functions, and answer a wrong password by a form."""
    from django.contrib.auth import aauthenticate as ask_backends
    from django.contrib.auth import alogin

    user = await ask_backends(request, username="ada", password=request.GET["password"])
    if user is None:
        return HttpResponse("wrong", status=403)
    await alogin(request, user)
    return HttpResponse("signed in")


async def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await request.auser()).get_username())


async def open_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


ninja = NinjaAPI(auth=arequire, urls_namespace="async-tests")
ninja.add_exception_handler(APIException, authentication.answer)


async def by_ninja(request: Any) -> str:
    return str((await request.auth.auser()).get_username())


ninja.get("/")(by_ninja)
ninja.post("/")(by_ninja)

urlpatterns = [
    path("sync/", SyncView.as_view()),
    path("adrf/", AdrfView.as_view()),
    path("plain/", plain),
    path("pk/", pk),
    path("optional/", optional),
    path("open/", open_view),
    path("sign-in/", sign_in),
    path("who/", who),
    path("ninja/", ninja.urls),
]

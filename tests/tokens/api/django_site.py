"""A site whose users sign in with Django's own sessions, and what tests ask of it."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, login, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from tokens import sessions
from tokens.models import EndReason, Session, SessionKind

NEW_PASSWORD = "a rather different sentence"


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


async def who_async(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(user.get_username() or "nobody")


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("nothing")


def become(request: HttpRequest) -> HttpResponse:
    user = get_user_model().objects.get(username=request.GET["name"])
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return HttpResponse("done")


def set_password(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    user.set_password(NEW_PASSWORD)
    user.save()
    if "keep" in request.GET:
        update_session_auth_hash(request, user)
    return HttpResponse("done")


def fail(request: HttpRequest) -> HttpResponse:
    become(request)
    raise OSError("the disk is full")


urlpatterns = [
    path("who/", who),
    path("who-async/", who_async),
    path("nothing/", nothing),
    path("become/", become),
    path("password/", set_password),
    path("fail/", fail),
    path("api/", include("tokens.urls")),
]


def name_in(browser: Client) -> str:
    return browser.get("/who/").content.decode()


def the_row() -> Session:
    return Session.objects.get(kind=SessionKind.DJANGO)


def end_all(user: Any) -> None:
    sessions.end_all(user, reason=EndReason.REVOKED)


def end_its_row(user: Any) -> None:
    sessions.end([the_row()], reason=EndReason.REVOKED)

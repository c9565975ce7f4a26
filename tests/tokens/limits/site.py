"""A site whose views call Django's ``authenticate``, each in its own way."""

from typing import Any

from django.contrib.auth import authenticate, get_user_model, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from rest_framework.authentication import BasicAuthentication
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.conftest import PASSWORD


def without_request(request: HttpRequest) -> HttpResponse:
    user = authenticate(username=request.POST["username"], password=request.POST["password"])
    return JsonResponse({"signed_in": bool(user)}, status=200 if user else 403)


def by_email(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, email=request.POST["email"], password=request.POST["password"])
    if user is None:
        return HttpResponse("<form>", status=200)
    login(request, user)
    return HttpResponse("welcome")


def sends_back(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username="ada", password=request.POST["password"])
    if user is None:
        return HttpResponseRedirect("/form/?wrong")
    return HttpResponseRedirect("/welcome/")


def tries_twice(request: HttpRequest) -> HttpResponse:
    """Ask for a name that is over its limit, and then for another one."""
    found = [authenticate(request, username=name, password=PASSWORD) for name in ("bob", "ada")]
    return HttpResponseRedirect("/welcome/" if any(found) else "/form/?wrong")


def falls_back(request: HttpRequest) -> HttpResponse:
    authenticate(request, username="ada", password="wrong")
    return JsonResponse({"anonymous": True})


def public_page(request: HttpRequest) -> HttpResponse:
    authenticate(request, username="ada", password="wrong")
    return HttpResponse("for everybody")


def answers_429_itself(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username="ada", password="wrong")
    return JsonResponse({"own": user is None}, status=429)


class BasicView(APIView):
    authentication_classes = (BasicAuthentication,)

    def get(self, request: Any) -> Response:
        return Response({"user": str(request.user.pk)})


def signs_in_otherwise(request: HttpRequest) -> HttpResponse:
    assert authenticate(request, username="bob", password="wrong") is None
    user = get_user_model()._default_manager.get()
    login(request, user, backend="accounts.backends.AccountBackend")
    return HttpResponseRedirect("/welcome/")


urlpatterns = [
    path("signs-in-otherwise/", signs_in_otherwise),
    path("without-request/", without_request),
    path("by-email/", by_email),
    path("falls-back/", falls_back),
    path("sends-back/", sends_back),
    path("answers-429-itself/", answers_429_itself),
    path("public-page/", public_page),
    path("tries-twice/", tries_twice),
    path("basic/", BasicView.as_view()),
]

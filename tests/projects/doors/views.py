"""The project's own views that ask for a password."""

import json
from typing import Any

from django.contrib.auth import aauthenticate, alogin, authenticate, get_user_model, login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Schema
from ninja.responses import Response as NinjaResponse
from ninja.security import HttpBasicAuth
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tokens.errors import TooManyAttempts
from tokens.limits import sign_in

users = get_user_model()


class Failure(Exception):
    """What a view raises after the password was checked."""


# With django-ninja

api = NinjaAPI(urls_namespace="ninja")


class Credentials(Schema):
    username: str
    password: str


class NinjaBasic(HttpBasicAuth):
    def authenticate(self, request: HttpRequest, username: str, password: str) -> Any:
        return authenticate(username=username, password=password)


@api.post("login/")
def ninja_login(request: HttpRequest, body: Credentials) -> Any:
    user = authenticate(username=body.username, password=body.password)
    if user is None:
        return NinjaResponse({}, status=401)
    login(request, user)
    return {}


@api.get("basic/", auth=NinjaBasic())
def ninja_basic(request: HttpRequest) -> Any:
    return {}


# With DRF


class BasicView(APIView):
    authentication_classes = (BasicAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({})


class FailingAPIView(APIView):
    """DRF rolls the transaction of the request back for either exception."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        authenticate(request, **request.data)
        raise AuthenticationFailed


# With Django alone


@csrf_exempt
def by_email(request: HttpRequest) -> HttpResponse:
    body = json.loads(request.body)
    user = authenticate(request, email=body["email"], password=body["password"])
    if user is None:
        return HttpResponse(status=401)
    login(request, user)
    return HttpResponse()


@transaction.non_atomic_requests  # Django has no transactions for asynchronous views.
@csrf_exempt
async def asynchronous(request: HttpRequest) -> HttpResponse:
    user = await aauthenticate(request, **json.loads(request.body))
    if user is None:
        return HttpResponse(status=401)
    await alogin(request, user)
    return HttpResponse()


@csrf_exempt
def by_this_app(request: HttpRequest) -> HttpResponse:
    """A view that answers by itself when an attempt has to wait."""
    try:
        user = sign_in.authenticate(request, **json.loads(request.body))
    except TooManyAttempts as error:
        return HttpResponse(status=429, headers={"Retry-After": str(error.retry_after)})
    if user is None:
        return HttpResponse(status=401)
    login(request, user)
    return HttpResponse()


@csrf_exempt
def failing(request: HttpRequest) -> HttpResponse:
    authenticate(request, **json.loads(request.body))
    raise Failure


@csrf_exempt
def failing_inside(request: HttpRequest) -> HttpResponse:
    """Its own transaction is rolled back, whatever ATOMIC_REQUESTS is."""
    with transaction.atomic():
        authenticate(**json.loads(request.body))
        raise Failure


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())

"""What views under ATOMIC_REQUESTS and commands take back lasts, although they fail."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, call_command
from django.db import connection, transaction
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from tests.support.grace import rotate_twice
from tests.support.rollbacks import Failure, is_refused
from tokens import keyring, sessions
from tokens.errors import SessionEnded
from tokens.models import EndReason, Session
from tokens.sessions import TokenPair

transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair(user: Any) -> TokenPair:
    keyring.ensure()
    return sessions.start(user)


class RevokingView(APIView):
    """A view of a project that runs with ATOMIC_REQUESTS."""

    def post(self, request: Request) -> Response:
        sessions.end_all(request.user, reason=EndReason.REVOKED)
        if request.data.get("fails"):
            raise Failure
        raise SessionEnded("This makes DRF roll back the transaction.")


class RefreshingView(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        pair = sessions.refresh(request.data["refresh"])
        return Response({"refresh": pair.raw_refresh})


urlpatterns = [
    path("revoke/", RevokingView.as_view()),
    path("refresh/", RefreshingView.as_view()),
]


@pytest.fixture
def client(settings: Any, monkeypatch: pytest.MonkeyPatch) -> APIClient:
    settings.ROOT_URLCONF = __name__
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    return APIClient(raise_request_exception=False)


@transactional
@pytest.mark.parametrize(("body", "status"), [({"fails": True}, 500), ({}, 401)])
def test_a_view_under_atomic_requests_that_fails_has_ended_the_sessions(
    client: APIClient, pair: TokenPair, body: dict[str, Any], status: int
) -> None:
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert client.post("/revoke/", body).status_code == status
    assert client.post("/revoke/", body).status_code == 401
    assert Session.objects.get().end_reason == EndReason.REVOKED


@transactional
def test_a_refreshing_view_under_atomic_requests_ends_the_session_of_a_reuse(
    client: APIClient, pair: TokenPair
) -> None:
    rotate_twice(pair)
    assert client.post("/refresh/", {"refresh": pair.raw_refresh}).status_code == 401
    assert Session.objects.get().end_reason == EndReason.REUSE


class Command(BaseCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            sessions.end_all(get_user_model().objects.get(), reason=EndReason.REVOKED)
            raise Failure


@transactional
def test_a_command_that_fails_has_ended_the_sessions(pair: TokenPair) -> None:
    with pytest.raises(Failure):
        call_command(Command())
    assert is_refused(pair)

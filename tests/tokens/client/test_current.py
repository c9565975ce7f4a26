"""The client of the current request is known to code that is not given the request."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from tokens import sessions
from tokens.client import answering, current_client, current_request
from tokens.models import Session

pytestmark = pytest.mark.django_db

AGENT: Any = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


def by_a_link(request: HttpRequest) -> HttpResponse:
    """Start a session as a project does that knows its users by a link."""
    from django.contrib.auth import get_user_model

    sessions.start(get_user_model().objects.get())
    return HttpResponse()


urlpatterns = [path("by-a-link/", by_a_link)]


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


def test_a_session_that_a_view_starts_has_its_address_and_device(user: Any) -> None:
    assert Client().get("/by-a-link/", REMOTE_ADDR="192.0.2.9", **AGENT).status_code == 200
    session = Session.objects.get()
    assert (session.ip_address, session.user_agent) == ("192.0.2.9", AGENT["HTTP_USER_AGENT"])


def test_behind_a_proxy_it_is_the_forwarded_address(user: Any, settings: Any) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1
    Client().get("/by-a-link/", HTTP_X_FORWARDED_FOR="203.0.113.5:4711")
    assert Session.objects.get().ip_address == "203.0.113.5"


async def _under_asgi() -> int:
    answer = await AsyncClient().get("/by-a-link/", headers={"user-agent": "curl/8"})
    return int(answer.status_code)


@pytest.mark.django_db(transaction=True)
def test_under_asgi_too(user: Any) -> None:
    from asgiref.sync import async_to_sync

    assert async_to_sync(_under_asgi)() == 200
    assert Session.objects.get().user_agent == "curl/8"


def test_outside_of_a_request_no_client_is_known() -> None:
    assert current_request() is None
    assert current_client().ip_address is None
    with answering(HttpRequest()):
        assert current_request() is not None
    assert current_request() is None

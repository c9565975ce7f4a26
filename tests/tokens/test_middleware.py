"""One middleware does what its three parts do."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from rest_framework.test import APIClient
from rest_framework.views import APIView

from tests.conftest import PASSWORD
from tests.tokens.api import django_site
from tokens import sessions
from tokens.authentication import JWTAuthentication
from tokens.middleware import TokensMiddleware
from tokens.models import Session

pytestmark = pytest.mark.django_db

PATH = "tokens.middleware.TokensMiddleware"
OF_DJANGO = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


class GuardedView(APIView):
    def get(self, request: Any) -> Any:
        return HttpResponse(request.user.get_username())


def start(request: HttpRequest) -> HttpResponse:
    from django.contrib.auth import get_user_model

    sessions.start(get_user_model().objects.get())
    return HttpResponse("done")


urlpatterns = [
    *django_site.urlpatterns,
    path("guarded/", GuardedView.as_view()),
    path("start/", start),
]


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [*OF_DJANGO, PATH]


def test_a_session_of_django_ends_with_the_others(user: Any) -> None:
    browser = Client()
    browser.get("/become/?name=ada")
    assert django_site.name_in(browser) == "ada"
    django_site.end_all(user)
    assert django_site.name_in(browser) == "nobody"


@pytest.mark.parametrize("middleware", [[PATH], [*OF_DJANGO, PATH]], ids=["alone", "with Django's"])
class TestWithAndWithoutSessionsOfDjango:
    @pytest.fixture(autouse=True)
    def _middleware(self, settings: Any, middleware: list[str], _site: None) -> None:
        settings.MIDDLEWARE = middleware

    def test_an_answer_to_a_token_is_not_stored(self, api: APIClient, user: Any) -> None:
        raw_access = sessions.start(user).raw_access
        answer = api.get("/guarded/", HTTP_AUTHORIZATION=f"Bearer {raw_access}")
        assert answer.content == b"ada"
        assert "no-store" in answer["Cache-Control"]

    def test_a_refused_cookie_is_deleted(self, api: APIClient, user: Any) -> None:
        answer = api.post("/api/token/cookie/", {"username": "ada", "password": PASSWORD})
        assert answer.status_code == 200
        assert api.get("/guarded/").content == b"ada"
        django_site.end_all(user)
        refused = api.get("/guarded/")
        assert refused.status_code == 401
        assert "Max-Age=0" in refused.cookies.output()

    def test_a_session_that_a_view_starts_knows_the_client(self, user: Any) -> None:
        Client(REMOTE_ADDR="192.0.2.7").get("/start/")
        assert Session.objects.get(ip_address="192.0.2.7").user == user


def test_it_is_refused_before_the_middleware_that_brings_the_user(settings: Any) -> None:
    settings.MIDDLEWARE = [PATH, *OF_DJANGO]
    with pytest.raises(ImproperlyConfigured, match="Move it after"):
        Client().get("/who/")


def test_a_project_may_wrap_it_in_a_middleware_of_its_own(settings: Any) -> None:
    settings.MIDDLEWARE = OF_DJANGO
    answer = TokensMiddleware(lambda request: HttpResponse("done"))(HttpRequest())
    assert answer.content == b"done"


def test_a_view_answers_503_while_the_database_fails_also_without_the_exception_handler(
    settings: Any, api: APIClient, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rest_framework.views import exception_handler

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("the database is down")

    monkeypatch.setattr(GuardedView, "get_exception_handler", lambda view: exception_handler)
    raw_access = sessions.start(user).raw_access
    monkeypatch.setattr(sessions, "authenticate", fail)
    answer = api.get("/guarded/", HTTP_AUTHORIZATION=f"Bearer {raw_access}")
    assert answer.status_code == 503
    assert "Retry-After" in answer
    assert JWTAuthentication in GuardedView.authentication_classes

"""No cache keeps the answer to a request that a token authenticated, whichever view gave it."""

from typing import Any

import pytest
from django.urls import path
from django.views.decorators.cache import cache_control, cache_page
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from tests.wire.conftest import sign_in
from tokens import sessions
from tokens.authentication import OptionalJWTAuthentication


class PlainView(APIView):
    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user)})


class PublicView(PlainView):
    authentication_classes = (OptionalJWTAuthentication,)
    permission_classes = (AllowAny,)


class StrictView(PlainView):
    def get(self, request: Request) -> Response:
        return Response({}, headers={"Cache-Control": "private, No-Store, max-age=0"})


class CachedView(PlainView):
    def get(self, request: Request) -> Response:
        return Response({}, headers={"Cache-Control": "public, max-age=600"})


urlpatterns = [
    path("plain/", PlainView.as_view()),
    path("public/", PublicView.as_view()),
    path("strict/", StrictView.as_view()),
    path("cached/", CachedView.as_view()),
    path("page/", cache_page(600)(PlainView.as_view())),
    path("decorated/", cache_control(public=True, max_age=600)(PlainView.as_view())),
]

PATHS = ["plain", "public", "cached", "page", "decorated"]
SITE_WIDE = [
    "django.middleware.cache.UpdateCacheMiddleware",
    "tokens.api.middleware.TokenCookieMiddleware",
    "django.middleware.cache.FetchFromCacheMiddleware",
]


@pytest.fixture(autouse=True)
def _urls(settings: Any, tokens_process: None) -> None:
    settings.ROOT_URLCONF = __name__
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "pages"}
    }


@pytest.fixture
def bearer(user: Any) -> Any:
    return {"HTTP_AUTHORIZATION": f"Bearer {sessions.start(user).raw_access}"}


@pytest.mark.parametrize("name", PATHS)
def test_an_answer_to_a_bearer_token_is_not_stored(api: APIClient, bearer: Any, name: str) -> None:
    answer = api.get(f"/{name}/", **bearer)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")


def test_an_answer_by_cookie_is_not_stored(request: Any, settings: Any) -> None:
    settings.ROOT_URLCONF = "config.urls"
    browser = request.getfixturevalue("browser")
    sign_in(browser)
    for name in ("/api/me/", "/api/sessions/"):
        assert browser.get(name)["Cache-Control"] == "no-store"
    settings.ROOT_URLCONF = __name__
    assert browser.get("/decorated/")["Cache-Control"] == "no-store"


def test_the_projects_own_stricter_header_stays(api: APIClient, bearer: Any) -> None:
    assert api.get("/strict/", **bearer)["Cache-Control"] == "private, No-Store, max-age=0"


def test_what_no_token_authenticated_is_the_projects_affair(api: APIClient, db: None) -> None:
    api.credentials(HTTP_AUTHORIZATION="Bearer x.y.z")
    assert "Cache-Control" not in api.get("/public/")
    assert "Cache-Control" not in api.get("/plain/")


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("middleware", [SITE_WIDE, SITE_WIDE[::2], []], ids=len)
def test_django_answers_nothing_from_its_cache_after_a_revocation(
    api: APIClient, user: Any, settings: Any, name: str, middleware: list[str]
) -> None:
    settings.MIDDLEWARE = middleware
    pair = sessions.start(user)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert api.get(f"/{name}/").status_code == 200
    sessions.revoke(pair.raw_refresh)
    anonymous = {"user": "AnonymousUser"}
    answer = api.get(f"/{name}/")
    assert answer.status_code == 401 or answer.json() == anonymous


def test_the_list_of_sessions_needs_no_middleware(
    api: APIClient, bearer: Any, settings: Any
) -> None:
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = "config.urls"
    assert api.get("/api/sessions/", **bearer)["Cache-Control"] == "no-store"

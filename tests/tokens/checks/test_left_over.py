"""What another package left behind is reported: apps, classes and routes."""

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.urls import include, path
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import (
    JWTAuthentication,
    JWTStatelessUserAuthentication,
)
from rest_framework_simplejwt.views import TokenRefreshView

from tests.tokens.checks.conftest import found
from tokens import checks
from tokens.authentication import JWTAuthentication as Ours

pytestmark = pytest.mark.django_db


class OwnAuthentication(JWTAuthentication):  # type: ignore[misc]  # It has no types.
    pass


class OwnRefresh(TokenRefreshView):  # type: ignore[misc]  # It has no types.
    pass


def urlconf(*classes: type, view: type[APIView] = APIView) -> Any:
    """Return a URLconf with this app's routes, and a view that accepts these classes."""
    module: Any = ModuleType("urlconf")
    own: Any = type("OwnView", (view,), {"authentication_classes": classes})
    module.urlpatterns = [
        path("api/", include("tokens.urls")),
        path("own/", own.as_view()),
        path("page/", lambda request: None),  # type: ignore[arg-type, return-value]
    ]
    return module


@pytest.mark.parametrize(
    ("accepted", "ids"),
    [
        (Ours, []),
        (SessionAuthentication, []),
        (TokenAuthentication, []),  # Only as a default is it taken for an oversight.
        (JWTAuthentication, ["tokens.W044"]),
        (JWTStatelessUserAuthentication, ["tokens.W044"]),
        (OwnAuthentication, ["tokens.W044"]),
    ],
)
def test_a_view_that_accepts_anothers_tokens_is_reported(
    settings: Any, accepted: type, ids: list[str]
) -> None:
    settings.ROOT_URLCONF = urlconf(accepted)
    assert list(found()) == ids


def test_a_default_that_accepts_anothers_tokens_is_reported(settings: Any) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "tokens.authentication.JWTAuthentication",
            f"{__name__}.OwnAuthentication",
        ],
    }
    message = found()["tokens.W044"]
    assert "rest_framework_simplejwt.authentication.JWTAuthentication" in message.msg


def test_a_route_on_which_another_package_issues_tokens_is_reported(settings: Any) -> None:
    settings.ROOT_URLCONF = urlconf(view=OwnRefresh)
    message = found()["tokens.W045"]
    assert "OwnView" in message.msg
    assert 'include "tokens.urls"' in str(message.hint)


@pytest.mark.parametrize(
    ("installed", "accepted", "reported"),
    [
        (["rest_framework_simplejwt"], Ours, True),
        (["rest_framework_simplejwt.token_blacklist"], Ours, True),
        (["rest_framework.authtoken"], Ours, True),
        (["rest_framework.authtoken"], TokenAuthentication, False),
        (["rest_framework.authtoken", "djoser"], Ours, False),
        ([], Ours, False),
    ],
)
def test_an_app_that_is_not_needed_any_more_is_reported(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    installed: list[str],
    accepted: type,
    reported: bool,
) -> None:
    settings.ROOT_URLCONF = urlconf(accepted)
    # To install them would register their models, which this process has loaded without them.
    configs = [SimpleNamespace(name=name) for name in installed]
    monkeypatch.setattr(apps, "get_app_configs", lambda: configs)
    monkeypatch.setattr(apps, "is_installed", installed.__contains__)
    messages = checks.check_apps()
    assert [message.id for message in messages] == ["tokens.W043"] * reported
    assert all(installed[0] in message.msg for message in messages)

"""``GET me/`` describes the user, whatever the user model calls its fields."""

from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.test import override_settings
from django.test.utils import isolate_apps
from django.urls import include, path
from rest_framework import serializers
from rest_framework.test import APIClient

from tokens import sessions
from tokens.api import me_views

pytestmark = pytest.mark.django_db

urlconf: Any = ModuleType("urlconf")
urlconf.urlpatterns = [path("users/", include("tokens.api.me_urls"))]


@pytest.fixture
def ada(user: Any, settings: Any) -> APIClient:
    """Return a signed-in client of a project that has set nothing."""
    settings.ROOT_URLCONF = urlconf
    settings.TOKENS_ME_SERIALIZER = None
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {sessions.start(user).raw_access}")


class Shouting(serializers.Serializer[Any]):
    name = serializers.SerializerMethodField()

    def get_name(self, user: Any) -> str:
        return f"{user.username.upper()} at {self.context['request'].path}"


def test_the_answer_has_the_key_the_name_and_the_email_address(ada: APIClient, user: Any) -> None:
    answer = ada.get("/users/me/")
    assert answer.json() == {"id": str(user.pk), "username": "ada", "email": user.email}
    assert APIClient().get("/users/me/").status_code == 401


def test_a_project_can_have_a_serializer_of_its_own(ada: APIClient, settings: Any) -> None:
    settings.TOKENS_ME_SERIALIZER = f"{__name__}.Shouting"
    assert ada.get("/users/me/").json() == {"name": "ADA at /users/me/"}


def test_the_password_is_changed_below_it(ada: APIClient) -> None:
    assert ada.post("/users/me/password/", {}).status_code == 400


@isolate_apps("accounts")
def test_the_fields_are_those_of_the_user_model(monkeypatch: pytest.MonkeyPatch) -> None:
    class ByEmail(AbstractBaseUser):
        email = models.EmailField(unique=True)
        USERNAME_FIELD = "email"

        class Meta:
            app_label = "accounts"

    class ByNumber(AbstractBaseUser):
        number = models.IntegerField(unique=True)
        USERNAME_FIELD = "number"

        class Meta:
            app_label = "accounts"

    for model, names in ((ByEmail, ("id", "email")), (ByNumber, ("id", "number"))):
        monkeypatch.setattr(me_views, "get_user_model", lambda model=model: model)
        assert me_views._field_names() == names


def test_the_default_serializer_can_be_extended(ada: APIClient, settings: Any) -> None:
    settings.TOKENS_ME_SERIALIZER = f"{__name__}.WithFlag"
    assert ada.get("/users/me/").json().keys() == {"id", "username", "email", "is_staff"}


class WithFlag(me_views.MeSerializer):
    class Meta(me_views.MeSerializer.Meta):
        fields = (*me_views.MeSerializer.Meta.fields, "is_staff")


def test_nothing_of_it_is_stored_by_a_cache(ada: APIClient) -> None:
    with override_settings(MIDDLEWARE=["tokens.api.middleware.TokenCookieMiddleware"]):
        assert ada.get("/users/me/")["Cache-Control"] == "no-store"

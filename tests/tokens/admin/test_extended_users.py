"""The project's own class for its users in the admin is extended, and keeps what it had."""

from enum import Enum
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.test import Client, RequestFactory

from accounts.admin import UserAdmin
from tests.tokens.admin.users import page
from tokens.admin.users import SIGN_OUT, UserSessions, extend
from tokens.models import DeniedToken, Session, SigningKey


class Location(Enum):
    """What Django 6.1 and newer pass as ``action_location``."""

    CHANGE_LIST = "CHANGE_LIST"
    CHANGE_FORM = "CHANGE_FORM"


class KnowsNoLocations(DjangoUserAdmin):  # type: ignore[type-arg]  # not generic at run time
    def get_actions(self, request: HttpRequest) -> Any:
        return {"own": ()}


class KnowsLocations(DjangoUserAdmin):  # type: ignore[type-arg]  # not generic at run time
    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        return {"own" if action_location is None else f"own at {action_location.name}": ()}


class TestWhoseAdminItIs:
    def test_the_projects_own_class_stays_what_it_was(self) -> None:
        registered = admin.site.get_model_admin(get_user_model())
        assert isinstance(registered, UserSessions)
        assert isinstance(registered, UserAdmin)
        assert registered.fieldsets == UserAdmin.fieldsets

    def test_any_admin_is_extended_once(self) -> None:
        site = admin.AdminSite(name="other")
        extend(site)  # Users are not registered in this admin. That is no error.
        assert {Session, DeniedToken, SigningKey} <= set(site._registry)
        site.register(get_user_model(), DjangoUserAdmin)
        extend(site)
        once = site.get_model_admin(get_user_model())
        extend(site)
        assert site.get_model_admin(get_user_model()) is once
        assert isinstance(once, UserSessions)
        assert isinstance(once, DjangoUserAdmin)

    @pytest.mark.parametrize(
        ("base", "location", "expected"),
        [
            (KnowsNoLocations, None, ["own", SIGN_OUT]),
            (KnowsNoLocations, Location.CHANGE_LIST, ["own", SIGN_OUT]),
            (KnowsNoLocations, Location.CHANGE_FORM, []),
            (KnowsLocations, None, ["own", SIGN_OUT]),
            (KnowsLocations, Location.CHANGE_LIST, ["own at CHANGE_LIST", SIGN_OUT]),
            (KnowsLocations, Location.CHANGE_FORM, ["own at CHANGE_FORM"]),
        ],
    )
    def test_its_actions_are_offered_where_django_asks_for_them(
        self, rf: RequestFactory, admin_user: Any, base: Any, location: Any, expected: list[str]
    ) -> None:
        site = admin.AdminSite(name="other")
        site.register(get_user_model(), base)
        extend(site)
        request: Any = rf.get("/")
        request.user = admin_user
        extended: Any = site.get_model_admin(get_user_model())
        asked = () if location is None else (location,)
        assert list(extended.get_actions(request, *asked)) == expected

    def test_a_template_of_the_projects_own_is_kept(
        self, admin_client: Client, user: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registered = admin.site.get_model_admin(get_user_model())
        monkeypatch.setattr(
            registered, "change_form_template", "admin/auth/user/change_password.html"
        )
        answer = admin_client.get(page(user))
        assert "admin/auth/user/change_password.html" in [one.name for one in answer.templates]
        assert "tokens/admin/user_change_form.html" in [one.name for one in answer.templates]


def test_an_index_page_of_the_projects_own_is_kept() -> None:
    site = admin.AdminSite(name="other")
    site.index_template = "admin/own.html"
    extend(site)
    assert site.index_template == "admin/own.html"

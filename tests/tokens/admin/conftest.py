from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import PASSWORD
from tokens.operations import support_group

SESSIONS = "/admin/tokens/session/"


@pytest.fixture(autouse=True)
def _own_cache(own_cache: None) -> None:
    """The first page keeps its numbers there."""


@pytest.fixture(autouse=True)
def _tokens_only(settings: Any) -> None:
    """Leave the sessions of Django out of what a test counts: staff has one too."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "DjangoSession" not in name]


@pytest.fixture
def grace(django_user_model: Any) -> Any:
    """Return a staff user without permissions."""
    return django_user_model.objects.create_user(
        "grace", "grace@example.org", PASSWORD, is_staff=True
    )


@pytest.fixture
def permit(grace: Any) -> Callable[..., None]:
    """Return a function that gives ``grace`` the permissions with these names."""

    def permit(*names: str) -> None:
        for name in names:
            app, _, codename = name.partition(".")
            found = Permission.objects.get(content_type__app_label=app, codename=codename)
            grace.user_permissions.add(found)

    return permit


@pytest.fixture
def staff(grace: Any) -> Client:
    """Return the browser of ``grace``, who has the permissions that the test gives her."""
    client = Client()
    client.force_login(grace)
    return client


@pytest.fixture
def supporter(grace: Any, staff: Client) -> Client:
    """Return the browser of ``grace`` as a member of the group "Support"."""
    support_group.create_group(using="default")
    grace.groups.add(Group.objects.get(name="Support"))
    return staff


def page_of(session: Any, name: str = "change") -> str:
    return reverse(f"admin:tokens_session_{name}", args=[session.pk])


def texts(answer: Any) -> list[str]:
    """Return the texts of the messages on the page."""
    return [str(message) for message in answer.context["messages"]]


def shown(answer: Any) -> list[Any]:
    """Return the primary keys of the rows on a list page, in order."""
    assert answer.status_code == 200, answer
    return [row.pk for row in answer.context["cl"].result_list]


def statements(call: Callable[[], Any]) -> list[str]:
    """Return the SQL of a call, and assert that its answer is a 200."""
    with CaptureQueriesContext(connection) as captured:
        assert call().status_code == 200
    return [query["sql"] for query in captured.captured_queries]

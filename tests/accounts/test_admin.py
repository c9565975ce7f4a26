"""The list of users takes the same time however many there are, and finds any user."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

USERS = "/admin/accounts/user/"


@pytest.fixture
def _people(django_user_model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.admin.WINDOW", 3)
    for name in ("bob", "carol", "dave", "erin", "zoe"):
        django_user_model.objects.create_user(name, f"{name}@example.org", last_name="Roe")


def found(client: Client, query: str) -> list[str]:
    answer = client.get(USERS, {"q": query})
    return [user.username for user in answer.context["cl"].result_list]


@pytest.mark.usefixtures("_people")
@pytest.mark.parametrize("query", ["zoe", " zoe ", "ZOE@example.org"])
def test_a_whole_name_or_address_finds_anybody(admin_client: Client, query: str) -> None:
    assert found(admin_client, query) == ["zoe"]


@pytest.mark.usefixtures("_people")
def test_a_part_of_a_name_finds_whom_the_list_reaches(admin_client: Client) -> None:
    assert found(admin_client, "Roe") == ["bob", "carol"]  # admin, bob and carol come first.


@pytest.mark.usefixtures("_people")
def test_the_beginning_of_a_name_finds_anybody_too(
    admin_client: Client, django_user_model: Any
) -> None:
    django_user_model.objects.create_user("aro", "aro@example.org", last_name="Zoellner")
    assert found(admin_client, "zo") == ["aro", "zoe"]
    assert found(admin_client, "ZO") == ["aro", "zoe"]
    assert found(admin_client, "%") == []


@pytest.mark.usefixtures("_people")
def test_users_beyond_the_bound_are_not_counted(admin_client: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        answer = admin_client.get(USERS)
    assert answer.context["cl"].result_count == 3
    counts = [query["sql"] for query in captured if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 3" in sql for sql in counts)


@pytest.mark.usefixtures("_people")
def test_an_order_without_an_index_is_not_available(admin_client: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert admin_client.get(USERS, {"o": "-2"}).status_code == 200
    assert not any('ORDER BY "accounts_user"."email"' in query["sql"] for query in captured)


@pytest.mark.usefixtures("_people")
def test_selecting_all_selects_no_more_than_are_counted(admin_client: Client) -> None:
    first = admin_client.get(USERS).context["cl"].result_list[0]
    chosen = {"action": "delete_selected", "select_across": "1", "_selected_action": first.pk}
    answer = admin_client.post(USERS, chosen)
    assert {user.username for user in answer.context["queryset"]} == {"admin", "bob", "carol"}

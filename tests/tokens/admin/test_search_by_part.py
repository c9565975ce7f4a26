"""The beginning of a name finds users and their newest sessions, through an index."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from tests.tokens.admin.conftest import SESSIONS, shown
from tokens import sessions
from tokens.admin import search
from tokens.models import EndReason
from tokens.operations import name_parts
from tokens.operations.name_parts import find_by_part

FIND = SESSIONS + "find/"


@pytest.fixture(autouse=True)
def _indexes_are_looked_up_again() -> Iterator[None]:
    name_parts.forget()
    yield
    name_parts.forget()


@pytest.fixture
def people(user: Any, django_user_model: Any) -> dict[str, Any]:
    names = ("adam", "Adele", "alan", "b%c", "ADA LOVELACE")
    made = {name: django_user_model.objects.create_user(name) for name in names}
    return {"ada": user, **made}


def names(found: tuple[list[Any], bool]) -> list[str]:
    return [user.username for user in found[0]]


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("ad", ["Adele", "ada", "adam"]),
        ("AD", ["ADA LOVELACE", "Adele", "ada", "adam"]),  # as it was typed too
        ("ada", ["ada", "adam"]),
        (" ala ", ["alan"]),
        ("b%", ["b%c"]),
        ("%", []),
        ("dam", []),
        ("", []),
        ("a\0", []),
    ],
)
def test_the_beginning_of_a_name_finds(
    people: dict[str, Any], term: str, expected: list[str]
) -> None:
    assert find_by_part(term) == ([people[name] for name in expected], True)


def test_no_more_users_are_found_than_are_shown(
    people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_parts, "MAX_USERS", 2)
    found, is_complete = find_by_part("a")
    assert len(found) == 2
    assert not is_complete


def test_a_name_without_an_index_is_not_looked_for(
    people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "postgresql":  # PostgreSQL only
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexname FROM pg_indexes WHERE tablename = 'accounts_user' "
                "AND indexdef LIKE '%(username varchar_pattern_ops)'"
            )
            for (index,) in cursor.fetchall():
                cursor.execute(f'DROP INDEX "{index}"')
    else:
        without: Any = models.CharField(name="username")
        monkeypatch.setattr(name_parts, "username_field", lambda: without)
    assert find_by_part("ad") == ([], True)


def test_a_name_that_is_no_text_is_not_looked_for(
    people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_parts, "is_text", lambda field: False)
    assert find_by_part("ad") == ([], True)


@pytest.mark.services
def test_with_pg_trgm_a_part_may_be_anywhere_in_the_name(people: dict[str, Any]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("pg_trgm is an extension of PostgreSQL.")
    assert find_by_part("dam") == ([], True)
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute("CREATE INDEX parts ON accounts_user USING gin (username gin_trgm_ops)")
    name_parts.forget()
    assert names(find_by_part("dam")) == ["adam"]
    assert find_by_part("da") == ([], True)  # shorter than what the index knows


def test_half_a_name_shows_the_users_and_their_newest_sessions(
    supporter: Client, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "EACH", 2)
    now = timezone.now()
    started = {
        name: [
            sessions.start(people[name], now=now - timedelta(minutes=at)).session.pk
            for at in range(3)
        ]
        for name in ("ada", "adam", "alan")
    }
    answer = supporter.post(FIND, {"q": "ad"}, follow=True)
    assert set(shown(answer)) == {*started["ada"][:2], *started["adam"][:2]}
    page = text(answer)
    assert "No user has exactly this name" in page
    for name in ("ada", "adam"):
        assert f'href="/admin/accounts/user/{people[name].pk}/sign-out/"' in page
        assert f'href="/admin/tokens/session/?user={people[name].pk}"' in page
    assert "There are more." not in page


def test_a_whole_name_shows_that_user_only(supporter: Client, people: dict[str, Any]) -> None:
    page = text(supporter.post(FIND, {"q": "ada"}, follow=True))
    assert "Users found:" in page
    assert "Sign out ada everywhere" in page
    assert "Sign out adam everywhere" not in page


def test_more_users_than_are_shown_are_mentioned(
    supporter: Client, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_parts, "MAX_USERS", 1)
    assert "There are more users." in text(supporter.post(FIND, {"q": "a"}, follow=True))


def test_who_may_not_revoke_is_offered_no_sign_out(
    staff: Client, permit: Any, people: dict[str, Any]
) -> None:
    permit("tokens.view_session", "accounts.view_user")
    page = text(staff.post(FIND, {"q": "ad"}, follow=True))
    assert "/sign-out/" not in page
    assert f"/admin/accounts/user/{people['ada'].pk}/change/" in page


def test_who_may_not_see_users_is_shown_their_names_only(
    staff: Client, permit: Any, people: dict[str, Any]
) -> None:
    permit("tokens.view_session", "tokens.revoke_session")
    page = text(staff.post(FIND, {"q": "ad"}, follow=True))
    assert "<strong>adam</strong>" in page
    assert "/admin/accounts/user/" not in page


def test_an_admin_without_users_shows_their_names_only(
    supporter: Client, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib import admin

    is_registered = admin.site.is_registered
    monkeypatch.setattr(
        admin.site,
        "is_registered",
        lambda model: model is not type(people["ada"]) and is_registered(model),
    )
    page = text(supporter.post(FIND, {"q": "ad"}, follow=True))
    assert "<strong>adam</strong>" in page


def test_the_denylist_is_searched_by_half_a_name_too(
    supporter: Client, people: dict[str, Any]
) -> None:
    ended = sessions.start(people["adam"]).session
    sessions.end([ended], reason=EndReason.REVOKED)
    found = supporter.post("/admin/tokens/deniedtoken/find/", {"q": "ad"}, follow=True)
    assert [row.value for row in found.context["cl"].result_list] == [str(ended.pk)]

"""The rows of many keys, by one statement."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections
from django.db.models import F, QuerySet

from tokens.database import compiled_sql, many_rows

NAME = "a statement of these tests"


def names(keys: Sequence[str]) -> QuerySet[Group, Any]:
    wanted = many_rows.AnyOf(F("name"), keys, type="text")
    return Group.objects.filter(wanted).order_by("name").values_list("name", "pk")


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_sql, "_compiled", {})


def fetched(*keys: str) -> list[Any]:
    rows = many_rows.fetch(names, keys, alias=connection.alias, name=NAME)
    return [name for name, _ in rows]


@pytest.mark.django_db
def test_the_rows_of_any_number_of_keys_are_found_whatever_the_keys_contain(
    nothing_compiled: None,
) -> None:
    odd = ['{"a", b}', "it's", "100 %s", "\\", "é", ""]
    Group.objects.bulk_create(Group(name=name) for name in odd)
    assert fetched() == fetched("no such name") == []
    assert fetched("it's") == ["it's"]
    assert sorted(fetched(*odd, "it's")) == sorted(odd)


@pytest.mark.django_db
def test_the_statement_is_compiled_once(nothing_compiled: None) -> None:
    compiled = []

    def rows(keys: Sequence[str]) -> QuerySet[Group, Any]:
        compiled.append(keys)
        return names(keys)

    for key in ("a", "b"):
        many_rows.fetch(rows, [key], alias=connection.alias, name=NAME)
    assert len(compiled) == 1


def test_another_thread_runs_it_on_its_own_connection(
    transactional_db: None, nothing_compiled: None
) -> None:
    Group.objects.create(name="a")

    def elsewhere() -> list[Any]:
        try:
            return fetched("a")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        assert fetched("a") == pool.submit(elsewhere).result(timeout=30) == ["a"]


def test_uuids_are_the_texts_that_the_database_stores(db: None) -> None:
    uuid = "52856071-21fb-41e7-a7a4-59cc34eb6411"
    stored = uuid if connection.features.has_native_uuid_field else uuid.replace("-", "")
    assert many_rows.keys_of([uuid], alias=connection.alias) == [stored]

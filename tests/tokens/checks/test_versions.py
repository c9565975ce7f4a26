"""A version of Django on which each request takes many times longer is reported."""

from typing import Any

import django
import pytest
from django.db import DatabaseError

from tokens.checks import check_compiled_query
from tokens.database import compiled_sql, raw_rows
from tokens.sessions import query

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_sql, "_compiled", {})


def test_this_version_is_as_fast_as_it_should_be() -> None:
    assert check_compiled_query() == []


def test_a_version_without_a_private_name_that_is_needed_is_noticed(monkeypatch: Any) -> None:
    monkeypatch.setattr(raw_rows, "get_related_populators", None)
    (message,) = check_compiled_query()
    assert message.id == "tokens.W053"
    assert f"Django {django.__version__}" in message.msg


def test_nothing_is_said_where_a_manager_decides_at_each_request(monkeypatch: Any) -> None:
    monkeypatch.setattr(raw_rows, "get_related_populators", None)
    monkeypatch.setattr(query, "hides_users", lambda: True)
    assert check_compiled_query() == []


def test_a_database_that_does_not_answer_is_left_to_another_check(monkeypatch: Any) -> None:
    def raises(*args: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(query, "compiled_for_database", raises)
    assert check_compiled_query() == []

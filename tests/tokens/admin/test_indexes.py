"""Every list and count of the admin reads a range of an index, and a rotation updates none."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from tests.tokens.admin.conftest import SESSIONS
from tokens import sessions
from tokens.admin import overview, search
from tokens.models import DeniedToken, Session
from tokens.operations import tally
from tokens.operations.users import find_users

ADDRESS = "192.0.2.1"


@pytest.fixture
def plans(db: None) -> Any:
    """Return a function that returns the words of a queryset's plan, where an index pays."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # The planner reads tables this small whole, whatever indexes they have.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            # Sorting no rows costs nothing, so another index would do as well.
            cursor.execute("SET LOCAL enable_sort = off")
    return lambda rows: re.findall(r"\w+", rows.explain())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "session_started"),
        ("state=ended", "session_ended"),
        ("reason=reuse", "session_end_reason"),
        ("state=ended&reason=reuse", "session_end_reason"),
        ("user=USER", "session_user"),
        ("q=ada", "session_user"),
        ("q=ada@example.org", "session_user"),
        ("q=192.0.2.1", "session_address"),
    ],
)
def test_a_list_of_sessions_is_read_from_its_index(
    supporter: Client, user: Any, plans: Any, query: str, index: str
) -> None:
    sessions.start(user, client=sessions.Client(ADDRESS))
    answer = supporter.get(f"{SESSIONS}?{query.replace('USER', str(user.pk))}")
    assert index in plans(answer.context["cl"].queryset[:51])


def test_the_denylist_is_read_from_its_index(supporter: Client, plans: Any) -> None:
    answer = supporter.get("/admin/tokens/deniedtoken/?kind=kid")
    assert "denied_kind" in plans(answer.context["cl"].queryset[:51])


def test_incidents_of_an_address_are_read_from_their_index(plans: Any) -> None:
    rows = Session.objects.filter(ended_ip_address=ADDRESS).order_by("-ended_at")
    assert "session_ended_address" in plans(rows[: search.MAX_INCIDENTS])


def test_an_e_mail_address_is_read_from_its_index(
    plans: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    manager = type(get_user_model()._default_manager.all())
    original = manager.values_list

    def values_list(rows: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(plans(rows.all()))
        return original(rows, *args, **kwargs)

    monkeypatch.setattr(manager, "values_list", values_list)
    assert find_users("ADA@example.org") == [user.pk]
    assert "user_email_unique_whatever_its_case" in seen[-1]


def test_counts_are_read_from_indexes(plans: Any) -> None:
    newest = Session.objects.order_by("-started_at").values_list("started_at", flat=True)
    assert "session_started" in plans(newest[tally.WINDOW - 1 : tally.WINDOW])
    now = timezone.now()
    recent = Q(ended_at__isnull=False, ended_at__gte=now, end_reason="reuse")
    incidents = Session.objects.filter(recent).values("pk")
    assert "session_end_reason" in plans(incidents[: overview.MOST_INCIDENTS])


def test_what_a_rotation_writes_is_in_no_index() -> None:
    written = {"generation", "refreshed_at", "idle_until", "refreshed_ip_address"}
    for index in Session._meta.indexes:
        columns = {name.removeprefix("-") for name in index.fields}
        children = (index.condition or Q()).children
        conditions = {str(child[0]) for child in children if isinstance(child, tuple)}
        assert not written & {name.partition("__")[0] for name in columns | conditions}
    assert not any(
        field.db_index  # type: ignore[attr-defined]  # The stub lacks it.
        for field in Session._meta.fields
        if field.name in written
    )
    assert DeniedToken._meta.indexes

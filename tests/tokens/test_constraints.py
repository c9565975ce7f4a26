"""Each invariant that the code relies on is kept by the database."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tokens import sessions
from tokens.models import DeniedToken, PruneRun, Session, SigningKey

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def refused(rows: Any, **values: Any) -> bool:
    """Return whether the database refuses to store ``values`` in these rows."""
    assert rows.exists()
    try:
        with transaction.atomic():
            rows.update(**values)
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize(
    "values",
    [
        {"ended_at": NOW},
        {"end_reason": "logout"},
        {"ended_at": NOW, "end_reason": "boredom"},
        {"idle_until": NOW + timedelta(days=2), "expires_at": NOW + timedelta(days=1)},
        {"first_generation": 1},
        {"kind": "other"},
    ],
    ids=[
        "no reason",
        "no end",
        "unknown reason",
        "idle beyond the limit",
        "a first generation that is to come",
        "unknown kind",
    ],
)
def test_a_session_keeps_its_invariants(user: Any, values: dict[str, Any]) -> None:
    sessions.start(user)
    assert refused(Session.objects.all(), **values)
    assert not refused(Session.objects.all(), ended_at=NOW, end_reason="logout")


@pytest.mark.parametrize("values", [{"kind": "ip"}, {"value": ""}])
def test_a_denial_names_an_id_of_a_known_kind(user: Any, values: dict[str, Any]) -> None:
    sessions.end_all(user, reason=sessions.EndReason.LOGOUT)
    sessions.end([sessions.start(user).session], reason=sessions.EndReason.LOGOUT)
    assert refused(DeniedToken.objects.all(), **values)


@pytest.mark.parametrize(
    ("state", "values"),
    [
        ("signing", {"signs_since": None}),
        ("signing", {"verifies_until": NOW}),
        ("signing", {"sealed": ""}),
        ("signing", {"state": "asleep"}),
        ("next", {"signs_since": NOW}),
        ("next", {"state": "retired", "verifies_until": NOW}),
        ("next", {"state": "retired", "retired_at": NOW}),
        ("next", {"state": "revoked", "retired_at": NOW, "verifies_until": NOW}),
    ],
)
def test_a_key_has_the_instants_of_its_state(state: str, values: dict[str, Any]) -> None:
    rows = SigningKey.objects.filter(state=state)
    assert refused(rows, **values)
    over = {"retired_at": NOW, "verifies_until": NOW}
    assert not refused(rows, state="revoked", sealed="", **over)


def test_pruning_has_one_row() -> None:
    PruneRun.objects.create(started_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        PruneRun.objects.create(pk=2, started_at=NOW)

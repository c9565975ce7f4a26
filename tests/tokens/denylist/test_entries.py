from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import IntegrityError, transaction

from tokens import denylist, sessions
from tokens.denylist import entries, notifications
from tokens.models import DeniedToken, Session, SigningKey, ThrottleCount

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


def deny(*values: str, reason: str = "lost", until: datetime = NOW + DAY) -> None:
    denylist.deny(
        [(value, None) for value in values],
        kind=DeniedToken.Kind.TOKEN,
        reason=reason,
        until=until,
        now=NOW,
    )


def test_denying_twice_keeps_who_was_first_and_why() -> None:
    deny("a", reason="first")
    deny("a", "b", reason="second")
    assert list(DeniedToken.objects.order_by("value").values_list("value", "reason")) == [
        ("a", "first"),
        ("b", "second"),
    ]


def test_is_denied_asks_for_all_three_ids(user: Any) -> None:
    claims = sessions.verify(sessions.start(user).raw_access).claims
    assert not denylist.is_denied(claims)
    deny(claims.kid)
    assert denylist.is_denied(claims)


def test_a_denial_can_go_an_hour_after_it_stopped_to_matter_and_not_before() -> None:
    ago = NOW - denylist.PRUNE_SAFETY_MARGIN
    deny("now", until=ago)
    deny("past", until=ago - timedelta(microseconds=1))
    deny("longer past", until=ago - DAY)
    deny("future", until=NOW)
    prunable = denylist.prunable(now=NOW).values_list("value", flat=True)
    assert list(prunable) == ["longer past", "past"]


def test_names_show_the_beginning_of_an_id_only(user: Any) -> None:
    session = sessions.start(user).session
    deny("0123456789abcdef")
    assert str(session) == f"session {str(session.pk)[:8]}"
    assert str(DeniedToken.objects.get()) == "jti 01234567"
    key = SigningKey.objects.first()
    assert key is not None
    assert str(key) == f"key {key.kid[:8]}"
    assert str(ThrottleCount(caller="login 192.0.2.1")) == "login 192.0.2.1"


@pytest.mark.parametrize(
    "change", [{"ended_at": NOW}, {"end_reason": "logout"}], ids=["no reason", "no instant"]
)
def test_a_session_ends_with_a_reason_and_an_instant_or_not(
    user: Any, change: dict[str, Any]
) -> None:
    sessions.start(user)
    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.update(**change)


@pytest.mark.parametrize("wanted", [[], [False], [False, True]])
def test_other_processes_are_notified_once_of_a_denial_if_a_package_wants_it(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, wanted: list[bool]
) -> None:
    notify = Mock()
    monkeypatch.setattr(notifications, "notify", notify)
    monkeypatch.setattr(entries, "_wanted", [partial(bool, each) for each in wanted])
    with django_capture_on_commit_callbacks(execute=True):
        deny("a")
    assert notify.call_count == any(wanted)

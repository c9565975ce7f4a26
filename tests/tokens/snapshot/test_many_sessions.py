"""A user with many sessions is deactivated by few statements, and every process refuses all of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tokens import clock, keyring, sessions, signals
from tokens.errors import TokenError
from tokens.models import DeniedToken, EndReason, Session
from tokens.sessions import TokenPair, ending, events
from tokens.snapshot.copy import Copy

from .denials import accepts, wait_for_the_bound

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]

MANY = 5


@pytest.fixture
def pairs(user: Any, monkeypatch: pytest.MonkeyPatch) -> list[TokenPair]:
    monkeypatch.setattr(ending, "BATCH_SIZE", MANY - 1)
    monkeypatch.setattr(events, "MAX_LINES", MANY - 1)
    keyring.ensure()
    return [sessions.start(user) for _ in range(MANY)]


def deactivate(user: Any) -> None:
    user.is_active = False
    user.save()


def test_one_denial_stands_for_all_of_them(
    user: Any, pairs: list[TokenPair], another: Copy, settings: Any
) -> None:
    found = [sessions.authenticate(pair.raw_access).claims for pair in pairs]
    assert all(accepts(another, each) for each in found)
    deactivate(user)
    assert DeniedToken.objects.get().kind == DeniedToken.Kind.ASK
    for pair in pairs:
        with pytest.raises(TokenError):
            sessions.authenticate(pair.raw_access)
    wait_for_the_bound(settings)
    assert not any(accepts(another, each) for each in found)


def test_the_sessions_stay_ended_when_the_user_comes_back(
    user: Any, pairs: list[TokenPair]
) -> None:
    deactivate(user)
    user.is_active = True
    user.save()
    for pair in pairs:
        with pytest.raises(TokenError):
            sessions.authenticate(pair.raw_access)
    again = sessions.start(user)
    assert sessions.authenticate(again.raw_access).user == user


def test_each_deactivation_is_told_anew(
    user: Any, pairs: list[TokenPair], another: Copy, settings: Any
) -> None:
    deactivate(user)
    user.is_active = True
    user.save()
    later = [sessions.start(user) for _ in range(MANY)]
    deactivate(user)
    assert DeniedToken.objects.count() == 2
    claims = [sessions.read_claims(pair.raw_access, now=clock.now()) for pair in later]
    wait_for_the_bound(settings)
    assert not any(accepts(another, each) for each in claims)


def test_the_statements_do_not_grow_with_the_sessions(user: Any, pairs: list[TokenPair]) -> None:
    with CaptureQueriesContext(connection) as few:
        deactivate(user)
    user.is_active = True
    user.save()
    for _ in range(3 * MANY):
        sessions.start(user)
    with CaptureQueriesContext(connection) as many:
        deactivate(user)
    assert len(many) == len(few)


def test_sessions_that_were_not_used_lately_are_not_denied(user: Any) -> None:
    keyring.ensure()
    old = sessions.start(user, now=clock.now() - timedelta(days=2))
    new = sessions.start(user)
    deactivate(user)
    assert list(DeniedToken.objects.values_list("value", flat=True)) == [str(new.session.pk)]
    assert Session.objects.get(pk=old.session.pk).end_reason == EndReason.USER_INACTIVE


@pytest.mark.parametrize("listens", [False, True])
def test_many_ends_are_one_line_and_a_signal_each(
    user: Any, pairs: list[TokenPair], caplog: pytest.LogCaptureFixture, listens: bool
) -> None:
    heard: list[Any] = []

    def receiver(sender: Any, sid: Any, **kwargs: Any) -> None:
        heard.append(sid)

    if listens:
        signals.session_ended.connect(receiver)
    deactivate(user)
    signals.session_ended.disconnect(receiver)
    lines = [
        record.getMessage() for record in caplog.records if "_ended" in record.getMessage()[:20]
    ]
    assert len(lines) == 1
    assert lines[0].startswith(f"sessions_ended count={MANY} user={user.pk} reason=user_inactive")
    assert set(heard) == ({pair.session.pk for pair in pairs} if listens else set())


def test_a_long_primary_key_does_not_fit_into_one_denial(
    user: Any, pairs: list[TokenPair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.denylist.MAX_KEY_LENGTH", 35)
    deactivate(user)
    values = set(DeniedToken.objects.values_list("value", flat=True))
    assert values == {str(pair.session.pk) for pair in pairs}


def test_users_whose_sessions_end_at_the_same_instant_are_told_apart(
    user: Any, pairs: list[TokenPair], monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = type(user).objects.create_user("bob")
    of_bob = [sessions.start(bob) for _ in range(MANY)]
    now = clock.now()
    monkeypatch.setattr("tokens.clock.now", lambda: now)
    for each in (user, bob):
        deactivate(each)
    denials = DeniedToken.objects.order_by("pk").values_list("value", flat=True)
    assert [value.partition("<")[0] for value in denials] == [str(user.pk), str(bob.pk)]
    for pair in of_bob:
        with pytest.raises(TokenError):
            sessions.authenticate(pair.raw_access)

"""Filters by state, end reason and last refresh read an index in its order, within a bound."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.tokens.admin.conftest import SESSIONS, shown
from tokens import denylist, sessions
from tokens.models import DeniedToken, EndReason, Session, SessionState

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def states(user: Any) -> dict[str, Any]:
    """Return the key of a session in each state; ``ended_later`` began later and ended earlier."""

    def start(ago: timedelta) -> Session:
        return sessions.start(user, now=NOW - ago).session

    ended, ended_later = start(4 * DAY), start(3 * DAY)
    rows = {"expired": start(20 * DAY), "live": start(2 * DAY), "key_revoked": start(DAY)}
    sessions.end([ended_later], reason=EndReason.LOGOUT, now=NOW - timedelta(hours=2))
    sessions.end([ended], reason=EndReason.REVOKED, now=NOW - timedelta(hours=1))
    Session.objects.filter(pk=rows["key_revoked"].pk).update(kid="leaked")
    denylist.deny([("leaked", None)], kind=DeniedToken.Kind.KEY, reason="leak", until=NOW + 9 * DAY)
    keys = {state: row.pk for state, row in rows.items()}
    return {**keys, "ended": ended.pk, "ended_later": ended_later.pk}


@pytest.mark.parametrize("state", ["live", "expired", "key_revoked"])
def test_a_state_shows_the_sessions_in_it(
    supporter: Client, states: dict[str, Any], state: str
) -> None:
    assert shown(supporter.get(f"{SESSIONS}?state={state}")) == [states[state]]


def test_a_row_and_a_query_agree_on_the_state_at_any_time(states: dict[str, Any]) -> None:
    rows = Session.objects.with_revoked()
    for days in (0, 7, 12, 14, 100):
        now = NOW + timedelta(days=days)
        for state in SessionState:
            found = set(Session.objects.in_state(state, now=now))
            assert found == {row for row in rows if row.state_at(now) is state}


def test_the_ended_come_in_the_order_of_their_ends(
    supporter: Client, states: dict[str, Any]
) -> None:
    answer = supporter.get(f"{SESSIONS}?state=ended")
    assert shown(answer) == [states["ended"], states["ended_later"]]


def test_the_list_says_each_state_in_words(supporter: Client, states: dict[str, Any]) -> None:
    page = supporter.get(SESSIONS).content.decode()
    for words in ("live", "expired", "key revoked", "ended", "revoked", "signed out"):
        assert f">{words}</span>" in page


def test_a_reason_shows_the_sessions_that_ended_for_it(
    supporter: Client, states: dict[str, Any]
) -> None:
    assert shown(supporter.get(f"{SESSIONS}?reason=revoked")) == [states["ended"]]
    assert shown(supporter.get(f"{SESSIONS}?reason=reuse")) == []


@pytest.mark.parametrize(
    ("refreshed", "expected"),
    [("hour", []), ("day", []), ("week", ["key_revoked", "live", "ended_later", "ended"])],
)
def test_last_refreshed_counts_a_sign_in_too(
    supporter: Client, states: dict[str, Any], refreshed: str, expected: list[str]
) -> None:
    answer = supporter.get(f"{SESSIONS}?refreshed={refreshed}")
    assert shown(answer) == [states[name] for name in expected]
    assert shown(supporter.get(f"{SESSIONS}?refreshed=earlier")) == [states["expired"]]


def test_one_persons_sessions_are_shown_by_name(
    supporter: Client, states: dict[str, Any], user: Any, grace: Any
) -> None:
    sessions.start(grace)
    answer = supporter.get(f"{SESSIONS}?user={user.pk}")
    assert len(shown(answer)) == len(states)
    assert "By user" in answer.content.decode()
    assert shown(supporter.get(f"{SESSIONS}?user={user.pk}&state=live")) == [states["live"]]
    assert "By user" not in supporter.get(SESSIONS).content.decode()


@pytest.mark.parametrize(
    ("query", "sees"),
    [
        ("refreshed=earlier", 0),  # none among the newest
        ("refreshed=week", 2),
        ("state=live", 1),
        ("state=expired", 1),  # the oldest come first
        ("refreshed=week&state=ended", 2),
    ],
)
def test_what_no_index_serves_looks_at_so_many_rows_and_says_so(
    supporter: Client,
    states: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    sees: int,
) -> None:
    monkeypatch.setattr("tokens.operations.tally.WINDOW", 2)
    monkeypatch.setattr("tokens.admin.sessions.WINDOW", 2)
    answer = supporter.get(f"{SESSIONS}?{query}")
    assert len(shown(answer)) == sees
    assert "covers only the first 2 sessions" in answer.content.decode()


@pytest.mark.parametrize("state", ["live", "expired", "key_revoked"])
def test_what_did_not_end_has_no_reason_however_many_there_are(
    supporter: Client, states: dict[str, Any], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr("tokens.operations.tally.WINDOW", 3)  # The third by its end has none.
    assert shown(supporter.get(f"{SESSIONS}?state={state}&reason=reuse")) == []


def test_a_list_that_saw_everything_says_nothing_of_bounds(
    supporter: Client, states: dict[str, Any]
) -> None:
    page = supporter.get(f"{SESSIONS}?state=live&refreshed=week").content.decode()
    assert "covers only the first" not in page

"""Optional packages watch what happens, and can neither change nor stop it."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from tokens import sessions, signals, watching
from tokens.errors import Malformed, TokenError
from tokens.watching import Finish


@pytest.fixture(autouse=True)
def _nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_listeners", [])
    monkeypatch.setattr(watching, "_watchers", {})


def test_a_listener_is_told_of_an_event_that_is_not_logged(caplog: Any) -> None:
    told: list[tuple[str, Mapping[str, Any]]] = []
    watching.listen(lambda event, fields: told.append((event, fields)))
    with caplog.at_level(logging.ERROR, "tokens"):
        signals.log("token_refused", reason="Expired")
    assert told == [("token_refused", {"reason": "Expired"})]
    assert not caplog.records


def test_a_listener_that_is_added_twice_is_told_once() -> None:
    told: list[str] = []

    def note(event: str, fields: Mapping[str, Any]) -> None:
        told.append(event)

    watching.listen(note)
    watching.listen(note)
    watching.tell("something", {})
    assert told == ["something"]


def test_an_error_of_a_listener_is_logged_and_stops_no_other(caplog: Any) -> None:
    told = []

    def fail(event: str, fields: Mapping[str, Any]) -> None:
        raise ZeroDivisionError

    watching.listen(fail)
    watching.listen(lambda event, fields: told.append(event))
    watching.tell("something", {})
    assert told == ["something"]
    assert [record.message for record in caplog.records] == ["a listener failed"]


def test_a_watcher_learns_how_a_verb_ended() -> None:
    seen: list[Any] = []

    def begin(verb: str) -> Finish:
        return lambda outcome, error: seen.append((verb, outcome, type(error)))

    watching.watch("refresh", begin)
    with watching.watched("refresh") as watched:
        watched.outcome = "rotated"
    with pytest.raises(ValueError, match="junk"), watching.watched("refresh"):
        raise ValueError("junk")
    with watching.watched("another verb"):
        pass
    assert seen == [("refresh", "rotated", type(None)), ("refresh", "", ValueError)]


@pytest.mark.django_db
def test_an_error_of_a_watcher_hides_no_refusal(caplog: Any) -> None:
    def begin(verb: str) -> Finish:
        raise ZeroDivisionError

    def begin_well(verb: str) -> Finish:
        def finish(outcome: str, error: BaseException | None) -> None:
            raise ZeroDivisionError

        return finish

    watching.watch("authenticate", begin)
    watching.watch("authenticate", begin_well)
    with pytest.raises(TokenError) as refusal:
        sessions.authenticate("junk")
    assert refusal.type is Malformed
    assert [record.message for record in caplog.records] == ["a watcher failed"] * 2

"""What the feed says of a row of the denylist."""

from datetime import timedelta
from typing import Any

import pytest

from tests.feed.lists import NOW, after
from tokens import denylist
from tokens.database.places import place_of
from tokens.feed.documents import Denial
from tokens.feed.models import Epoch
from tokens.feed.rows import Row, denials_of
from tokens.models import DeniedToken

SECOND = int(NOW.timestamp())
SID = "0123456789abcdef0123456789abcdef"


def row(kind: str, value: str, **columns: Any) -> Row:
    until = columns.pop("until", after(350))
    return (1, 1, until, kind, value, columns.get("user_id"), columns.get("issued_before"))


@pytest.mark.parametrize("kind", ["sid", "jti", "kid"])
def test_an_id_is_said_as_it_is_until_the_second_after(kind: str) -> None:
    said = denials_of(row(kind, "x", until=after(0.25)))
    assert said == [(Denial(kind, "x"), SECOND + 1)]


def test_a_cut_off_matters_for_the_life_of_an_access_token() -> None:
    before = after(10.5)
    said = denials_of(row("cut", "*", issued_before=before, until=after(90 * 86400)))
    assert said == [(Denial("cut", None, SECOND + 10), SECOND + 11 + 350)]
    # And never for longer than the row.
    [(_, until)] = denials_of(row("cut", "*", issued_before=before, until=after(20)))
    assert until == SECOND + 20


def test_a_cut_off_of_a_user_names_the_claim_sub() -> None:
    [(denial, _)] = denials_of(row("cut", "*:7 of 9", issued_before=NOW))
    assert denial == Denial("cut", "7 of 9", SECOND)
    # A sub that is too long for the row is that of its user, as long as there is one.
    hashed: dict[str, Any] = {"value": "*#0a1b", "issued_before": NOW}
    [(denial, _)] = denials_of(row("cut", user_id="u" * 80, **hashed))
    assert denial.id == "u" * 80
    assert denials_of(row("cut", **hashed)) == []


def test_a_password_change_names_the_former_tokens_that_can_be_alive() -> None:
    said = [denial.id for denial, _ in denials_of(row("ask", f"{SID}<3"))]
    assert said == [f"{SID}.{generation}a" for generation in (0, 1, 2)]
    said = [denial.id for denial, _ in denials_of(row("ask", f"{SID}<5000"))]
    assert said == [f"{SID}.{generation}a" for generation in range(4986, 5000)]


def test_too_many_former_tokens_are_a_cut_off_of_their_user(settings: Any) -> None:
    settings.TOKENS_REFRESH_GRACE = timedelta(0)
    until = NOW + denylist.longest_accepted()
    [(denial, _)] = denials_of(row("ask", f"{SID}<5000", user_id=7, until=until))
    assert denial == Denial("cut", "7", SECOND + 10)
    # The user was deleted since, and the session with it.
    assert denials_of(row("ask", f"{SID}<5000", until=until)) == []


@pytest.mark.parametrize("mode", ["strict", "snapshot"])
def test_each_denial_notifies_other_processes_once(
    mode: str, transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    notified: list[Any] = []
    settings.TOKENS_DENYLIST_MODE = mode
    monkeypatch.setattr("tokens.denylist.notifications.notify", notified.append)
    kind = DeniedToken.Kind.TOKEN
    denylist.deny([("x", None)], kind=kind, reason="a test", until=after(60), now=NOW)
    assert notified == [place_of(DeniedToken)]


def test_an_epoch_is_shown_by_its_name() -> None:
    assert str(Epoch(name="9f2c")) == "epoch 9f2c"

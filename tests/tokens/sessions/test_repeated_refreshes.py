"""Each pair that is given again is counted, and reported if it goes elsewhere."""

from datetime import timedelta
from typing import Any

import pytest

from tests.tokens.sessions.refreshes import AWAY, NOW, SECOND, refresh, row, use
from tokens import sessions, signals
from tokens.errors import RefreshTokenReused, SessionEnded
from tokens.models import EndReason
from tokens.sessions import Client, TokenPair

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_each_answer_from_the_grace_is_counted_and_reported(
    pair: TokenPair, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[dict[str, Any]] = []

    def receive(**arguments: Any) -> None:
        heard.append(arguments)

    signals.refresh_repeated.connect(receive)
    try:
        first = refresh(pair, after=SECOND)
        refresh(pair, after=2 * SECOND)
        refresh(first, after=3 * SECOND)
        refresh(pair, after=4 * SECOND, client=AWAY)
    finally:
        signals.refresh_repeated.disconnect(receive)
    assert (row().repeats, row().repeats_elsewhere) == (3, 1)
    assert [one["elsewhere"] for one in heard] == [False, False, True]
    lines = [
        record for record in caplog.records if getattr(record, "event", "") == "refresh_repeated"
    ]
    assert [record.levelname for record in lines] == ["INFO", "INFO", "WARNING"]


@pytest.mark.parametrize(
    ("client", "elsewhere"),
    [
        (Client("192.0.2.99", "curl"), False),  # the same network
        (Client("198.51.100.7", "Firefox"), False),  # the same user agent
        (AWAY, True),
    ],
)
def test_elsewhere_is_another_network_and_another_user_agent(
    pair: TokenPair, client: Client, elsewhere: bool
) -> None:
    refresh(pair, after=SECOND)
    refresh(pair, after=2 * SECOND, client=client)
    assert row().repeats_elsewhere == int(elsewhere)


def test_a_project_can_take_elsewhere_for_reuse(pair: TokenPair, settings: Any) -> None:
    settings.TOKENS_GRACE_ELSEWHERE = "end"
    first = refresh(pair, after=SECOND)
    refresh(pair, after=2 * SECOND)
    refresh(first, after=2 * SECOND, client=AWAY)  # The current token may come from anywhere.
    with pytest.raises(RefreshTokenReused):
        refresh(pair, after=3 * SECOND, client=AWAY)
    assert row().end_reason == EndReason.REUSE


def test_verify_records_a_superseded_token_and_changes_nothing_else(pair: TokenPair) -> None:
    successor = refresh(pair, after=SECOND)
    sessions.verify(pair.raw_refresh, client=AWAY, now=NOW + 2 * SECOND)
    use(successor, after=2 * SECOND)
    with pytest.raises(SessionEnded):
        sessions.verify(pair.raw_refresh, client=AWAY, now=NOW + timedelta(minutes=1))
    assert (row().repeats, row().repeats_elsewhere, row().ended_at) == (2, 2, None)

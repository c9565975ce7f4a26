"""
A thief who refreshes within the grace after each of the owner's rotations, from different places.

Each of these refreshes must be on record, from the first one: as a signal, as a line in the log and in
the row's count. From another network and user agent it is a warning, and the first one is mailed. With
TOKENS_GRACE_ELSEWHERE = "end" the first one ends the session.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.core import mail
from django.test import override_settings

from tests.trials.figures import Figures
from tests.trials.opened import a_user
from tests.trials.thefts import OWNER
from tokens import sessions, signals
from tokens.errors import RefreshTokenReused, TokenError
from tokens.models import EndReason, Session
from tokens.sessions import Client, TokenPair, seen

START = datetime(2030, 1, 1, tzinfo=UTC)
ROUNDS = 8
ELSEWHERE = "elsewhere"
PLACES = {
    "the same place": OWNER,
    "another user agent": Client("192.0.2.99", "curl"),
    "another network": Client("198.51.100.7", "Firefox"),
    ELSEWHERE: Client("198.51.100.7", "curl"),
}


class Record(logging.Handler):
    """What the project hears of repeated refreshes: each signal's ``elsewhere``, each line's level."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[bool] = []
        self.levels: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", "") == "refresh_repeated":
            self.levels.append(record.levelno)

    def receive(self, *, elsewhere: bool, **arguments: Any) -> None:
        self.heard.append(elsewhere)


@contextmanager
def recording() -> Iterator[Record]:
    """Yield what is heard of one session, which nothing else is printed of."""
    record, logger = Record(), logging.getLogger("tokens")
    level, logger.propagate = logger.level, False
    logger.setLevel(logging.INFO)
    logger.addHandler(record)
    signals.refresh_repeated.connect(record.receive)
    mail.outbox = []
    try:
        with override_settings(TOKENS_NOTIFY_USERS=True):
            yield record
    finally:
        signals.refresh_repeated.disconnect(record.receive)
        logger.removeHandler(record)
        logger.setLevel(level)
        logger.propagate = True


def warned(place: str, numbers: range) -> Figures:
    """Let a thief at this place follow the owners of sessions, with the default settings."""
    figures = Figures(f"thief within the grace, {place}")
    for number in numbers:
        with recording() as record:
            _follow(Random(number), place, record, figures)
    return figures


def _follow(chance: Random, place: str, record: Record, figures: Figures) -> None:
    now, is_elsewhere = START, place == ELSEWHERE
    owners = stolen = sessions.start(a_user(), client=OWNER, now=now)
    level = logging.WARNING if is_elsewhere else logging.INFO
    for times in range(1, ROUNDS + 1):
        now += timedelta(seconds=chance.uniform(310, 86400))
        owners = _refresh_and_use(owners, OWNER, now=now)
        soon = now + timedelta(seconds=chance.uniform(0, 29))
        stolen = _refresh_and_use(stolen, PLACES[place], now=soon)
        figures.count("refreshes of the thief")
        row = Session.objects.get(pk=owners.session.pk)
        on_record = (
            record.heard == [is_elsewhere] * times
            and record.levels == [level] * times
            and (row.repeats, row.repeats_elsewhere) == (times, times * is_elsewhere)
        )
        figures.expect(on_record, "refreshes off the record", f"{row.pk} the {times}. time")
        mailed = len(mail.outbox) == is_elsewhere
        figures.expect(mailed, "mails too few or too many", f"{row.pk} {len(mail.outbox)}")


def _refresh_and_use(pair: TokenPair, client: Client, *, now: datetime) -> TokenPair:
    pair = sessions.refresh(pair.raw_refresh, client=client, now=now)
    sessions.authenticate(pair.raw_access, now=now)
    seen.flush()
    return pair


def ended(numbers: range) -> Figures:
    """Let a thief come from elsewhere, where the project takes this for reuse."""
    figures = Figures(f'thief {ELSEWHERE}, "end"')
    for number in numbers:
        with recording(), override_settings(TOKENS_GRACE_ELSEWHERE="end"):
            _come_once(Random(number), figures)
    return figures


def _come_once(chance: Random, figures: Figures) -> None:
    stolen = sessions.start(a_user(), client=OWNER, now=START)
    now = START + timedelta(seconds=chance.uniform(310, 86400))
    owners = _refresh_and_use(stolen, OWNER, now=now)
    soon = now + timedelta(seconds=chance.uniform(0, 29))
    figures.count("refreshes of the thief")
    try:
        _refresh_and_use(stolen, PLACES[ELSEWHERE], now=soon)
        refused = False
    except RefreshTokenReused:
        refused = True
    is_over = refused and _ended_as(owners.session.pk) == EndReason.REUSE
    figures.expect(is_over, "sessions that go on", str(owners.session.pk))
    figures.expect(not _is_accepted(owners, now=soon), "tokens good afterwards", "")
    figures.expect(len(mail.outbox) == 1, "mails too few or too many", str(len(mail.outbox)))


def _ended_as(sid: UUID) -> str:
    return str(Session.objects.get(pk=sid).end_reason)


def _is_accepted(pair: TokenPair, *, now: datetime) -> bool:
    try:
        sessions.authenticate(pair.raw_access, now=now)
    except TokenError:
        return False
    return True

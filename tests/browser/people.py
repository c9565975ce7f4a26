"""Plausible users with sessions on plausible devices."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from tests.support.grace import be_used
from tokens import keyring, sessions
from tokens.errors import RefreshTokenReused
from tokens.models import DailyCount, EndReason, Session

DEVICES = [
    ("203.0.113.24", "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"),
    (
        "198.51.100.7",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    ),
    (
        "2001:db8:4f:1::2c",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    ),
    (
        "192.0.2.88",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    ),
    ("198.51.100.210", "curl/8.16.0"),
]

NAMES = [
    ("ada", "Ada", "Lovelace"),
    ("alan", "Alan", "Turing"),
    ("barbara", "Barbara", "Liskov"),
    ("edsger", "Edsger", "Dijkstra"),
    ("katherine", "Katherine", "Johnson"),
    ("margaret", "Margaret", "Hamilton"),
    ("radia", "Radia", "Perlman"),
]


def settle(password: str, *, now: datetime | None = None) -> dict[str, str]:
    """
    Create users with live, ended, revoked and stolen sessions; return the keys of some rows.

    ``grace`` is a superuser and ``ada`` is not staff. ``password`` is the password of all users.
    """
    now = now or timezone.now()
    keyring.ensure()
    users: Any = get_user_model()._default_manager
    grace = users.create_superuser("grace", "grace@example.org", password)
    users.filter(pk=grace.pk).update(first_name="Grace", last_name="Hopper")
    people = [
        users.create_user(name, f"{name}@example.org", password, first_name=first, last_name=last)
        for name, first, last in NAMES
    ]
    for number, person in enumerate([*people, grace]):
        for turn in range(1 + (number * 3 + 2) % 4):
            address, agent = DEVICES[(number + turn * 2) % len(DEVICES)]
            hours = 1 + number * 5 + turn * 37
            _sign_in(person, address, agent, now=now - timedelta(hours=hours))
    ada, alan, barbara, *_ = people
    _steal(_sign_in(ada, *DEVICES[3], now=now - timedelta(days=2)), now=now - timedelta(days=1))
    lost = _sign_in(barbara, *DEVICES[1], now=now - timedelta(days=3)).session
    sessions.end(
        [lost],
        reason=EndReason.REVOKED,
        note="Phone lost on the train",
        by=grace,
        now=now - timedelta(hours=5),
    )
    sessions.revoke(_sign_in(alan, *DEVICES[0], now=now - timedelta(minutes=2)).raw_access)
    session = Session.objects.filter(user=ada, ended_at=None).earliest("started_at")
    phone = _sign_in(ada, *DEVICES[1], now=now - timedelta(days=9))
    sessions.name_device(phone.session, "My telephone")
    moved = sessions.Client("203.0.113.80", phone.session.user_agent)
    sessions.refresh(phone.raw_refresh, client=moved, now=now - timedelta(hours=3))
    _sign_in(ada, "203.0.113.99", DEVICES[0][1], now=now - timedelta(days=6))
    _remember_days(now)
    return {
        "session": str(session.pk),
        "incident": str(Session.objects.get(end_reason=EndReason.REUSE).pk),
        "user": str(ada.pk),
    }


def _remember_days(now: datetime) -> None:
    """Count what happened on the thirteen days before today: less at weekends, guessing on one day."""
    today = timezone.localdate(now)
    rows = []
    for ago in range(1, 14):
        day = today - timedelta(days=ago)
        busy = 40 if day.weekday() < 5 else 12
        rows.append(
            DailyCount(
                day=day,
                sign_ins=busy + ago * 7 % 11,
                failed_sign_ins=busy // 8 + (90 if ago == 4 else ago % 3),
                refreshes=busy * 55 + ago * 37 % 200,
                repeats=ago * 5 % 7,
                reuses=int(ago in {2, 9}),
                revocations=ago * 3 % 5,
            )
        )
    DailyCount.objects.bulk_create(rows, ignore_conflicts=True)


def _sign_in(user: Any, address: str, agent: str, *, now: datetime) -> sessions.TokenPair:
    return sessions.start(user, client=sessions.Client(address, agent), now=now)


def _steal(pair: sessions.TokenPair, *, now: datetime) -> None:
    """Refresh and use the new pair as the owner, then use the old refresh token as a thief."""
    be_used(sessions.refresh(pair.raw_refresh, client=sessions.Client(*DEVICES[3]), now=now))
    try:
        sessions.refresh(
            pair.raw_refresh, client=sessions.Client("203.0.113.99"), now=now + timedelta(hours=1)
        )
    except RefreshTokenReused:
        return
    raise AssertionError("The stolen token was good.")

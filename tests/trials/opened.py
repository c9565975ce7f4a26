"""Sessions whose access token has expired, and what becomes of them during a trial."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.db.models import F, Sum

from tokens import clock, sessions
from tokens.models import Session
from tokens.sessions import seen

PATIENCE = 10  # seconds; the site needs one to note what was seen


@dataclass(frozen=True, slots=True)
class Opened:
    """What the store of a page has when it opens, after its user was away for some minutes."""

    sid: UUID
    access: str
    refresh: str


def a_user() -> Any:
    """Create a user without a password: every session of a trial belongs to another one."""
    name = uuid4().hex
    return get_user_model().objects.create_user(name, f"{name}@example.org")


def open_session(*, rotated: bool) -> Opened:
    """
    Return a session whose access token has expired.

    Its refresh token is that of the sign-in twenty minutes ago, or, if ``rotated``, that of a
    refresh ten minutes ago.
    """
    now = clock.now()
    pair = sessions.start(a_user(), now=now - timedelta(minutes=20))
    if rotated:
        pair = sessions.refresh(pair.raw_refresh, now=now - timedelta(minutes=10))
    return Opened(pair.session.pk, pair.raw_access, pair.raw_refresh)


def rows_of(opened: Iterable[Opened]) -> Any:
    return Session.objects.filter(pk__in=[one.sid for one in opened])


def ended(opened: Iterable[Opened]) -> int:
    return int(rows_of(opened).exclude(ended_at=None).count())


def repeats(opened: Iterable[Opened]) -> int:
    return rows_of(opened).aggregate(total=Sum("repeats"))["total"] or 0


def age(opened: list[Opened]) -> int:
    """
    Let ten minutes pass for the rows, once the site has noted that their pairs were used.

    Returns the number of live sessions whose current pair nobody has used.
    """
    seen.flush()  # What this process has noted, or a site in a thread of it.
    unused = rows_of(opened).filter(seen=False, ended_at=None)
    deadline = time.monotonic() + PATIENCE
    while unused.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    rows_of(opened).update(refreshed_at=F("refreshed_at") - timedelta(minutes=10))
    return int(unused.count())

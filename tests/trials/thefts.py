"""
Somebody copies what the store of a session has. Thief and owner use it, in any order.

The one who comes second, later than the grace, must be detected at that use: the session ends, with
all tokens of both. A second use within the grace is answered; then it is the next one that is late.
"""

from datetime import datetime, timedelta
from random import Random

from tests.trials.figures import Figures
from tests.trials.stores import Kept
from tokens import sessions
from tokens.errors import RefreshTokenReused, TokenError
from tokens.models import EndReason, Session
from tokens.sessions import TokenPair, seen

OWNER = sessions.Client("192.0.2.1", "Firefox")
THIEF = sessions.Client("198.51.100.7", "curl")
WITHIN_THE_GRACE = (0.0, 29.0)  # seconds
LATER = [(31.0, 60.0), (60.0, 3600.0), (86400.0, 3 * 86400.0)]


def steal(kept: Kept, chance: Random, figures: Figures, *, now: datetime) -> None:
    """Steal the session, and count whether this was detected."""
    first, second = chance.choice([(OWNER, THIEF), (THIEF, OWNER)])
    raw_refresh = kept.refresh
    now = _later(chance, kept, now=now)
    pair = _refresh_and_use(raw_refresh, first, now=now)
    seconds_pair = None
    if chance.random() < 0.3:
        soon = now + timedelta(seconds=chance.uniform(*WITHIN_THE_GRACE))
        seconds_pair = _refresh_and_use(raw_refresh, second, now=soon)
        # Both have the same pair now. The first of them rotates it.
        raw_refresh = seconds_pair.raw_refresh
        now = _later(chance, kept, now=soon)
        pair = _refresh_and_use(pair.raw_refresh, first, now=now)
    for _ in range(chance.choice((0, 0, 1, 2))):
        now = _later(chance, kept, now=now)
        pair = _refresh_and_use(pair.raw_refresh, first, now=now)
    now = _later(chance, kept, now=now)
    figures.count("thefts")
    figures.count(f"thefts with the {'thief' if first is THIEF else 'owner'} first")
    try:
        sessions.refresh(raw_refresh, client=second, now=now)
        detected = False
    except RefreshTokenReused:
        detected = True
    row = Session.objects.get(pk=pair.session.pk)
    detected = detected and row.end_reason == EndReason.REUSE
    figures.expect(detected, "thefts undetected", f"{row.pk} {second} at {now}")
    held = [one for one in (pair, seconds_pair) if one]
    accepted = any(_is_accepted(one, now=now) for one in held)
    figures.expect(not accepted, "tokens good after a theft", f"{row.pk} at {now}")


def _later(chance: Random, kept: Kept, *, now: datetime) -> datetime:
    """Return an instant that is later than the grace; no refresh token of the theft expires."""
    shortest, longest = chance.choice(LATER)
    left = kept.until - now.timestamp()
    seconds = min(chance.uniform(shortest, longest), left / 6)
    return now + timedelta(seconds=max(LATER[0][0], seconds))


def _refresh_and_use(raw_refresh: str, client: sessions.Client, *, now: datetime) -> TokenPair:
    pair = sessions.refresh(raw_refresh, client=client, now=now)
    sessions.authenticate(pair.raw_access, now=now)
    seen.flush()  # A second later; what follows is later than that.
    return pair


def _is_accepted(pair: TokenPair, *, now: datetime) -> bool:
    for verb, raw in ((sessions.verify, pair.raw_access), (sessions.refresh, pair.raw_refresh)):
        try:
            verb(raw, now=now)
        except TokenError:
            continue
        return True
    return False

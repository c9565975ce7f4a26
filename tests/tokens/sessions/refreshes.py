"""Refresh at given times, from the home of the user and from elsewhere."""

from datetime import UTC, datetime, timedelta

from tokens import sessions
from tokens.models import Session
from tokens.sessions import Client, TokenPair, seen

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GRACE = 30 * SECOND
HOME = Client("192.0.2.1", "Firefox")
AWAY = Client("198.51.100.7", "curl")


def refresh(pair: TokenPair, *, after: timedelta, client: Client = HOME) -> TokenPair:
    return sessions.refresh(pair.raw_refresh, client=client, now=NOW + after)


def use(pair: TokenPair, *, after: timedelta) -> None:
    """Call with the access token, and let the note of it be written."""
    sessions.authenticate(pair.raw_access, now=NOW + after)
    seen.flush()


def row() -> Session:
    return Session.objects.get()

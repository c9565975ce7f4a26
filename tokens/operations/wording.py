"""Phrases that the commands and the admin share: numbers, times, the cost of a revocation."""

from collections.abc import Sequence
from datetime import UTC, datetime


def utc(instant: datetime | None) -> str | None:
    """Return ``instant`` in RFC 3339 format, in UTC and whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None


def counted(number: int, noun: str, *, exact: bool = True) -> str:
    """Return "1 session", "1,234 sessions", or if not exact "at least 10,000 sessions"."""
    return f"{amount(number, exact=exact)} {noun}" + ("" if number == 1 else "s")


def amount(number: int, *, exact: bool = True) -> str:
    """Return "1,234", or "at least 1,234" for a count that stopped at a limit."""
    return f"{number:,}" if exact else f"at least {number:,}"


def cost_of_revoking(kids: Sequence[str], *, sessions: int, users: int, exact: bool = True) -> str:
    """Return the warning that is shown before these keys are revoked."""
    return (
        f"This revokes {counted(len(kids), 'key')} and with them "
        f"{counted(sessions, 'session', exact=exact)} of {counted(users, 'user', exact=exact)}, "
        "who must sign in again. It cannot be undone."
    )

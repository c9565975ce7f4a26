"""What the commands and the admin say alike: numbers, instants, and what a revocation costs."""

from collections.abc import Sequence
from datetime import UTC, datetime


def utc(instant: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC, in whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None


def counted(number: int, noun: str, *, exact: bool = True) -> str:
    """Return «1 session», «1,234 sessions», «at least 10,000 sessions»."""
    return f"{amount(number, exact=exact)} {noun}" + ("" if number == 1 else "s")


def amount(number: int, *, exact: bool = True) -> str:
    """Return «1,234», or «at least 1,234» for a number that was counted only so far."""
    return f"{number:,}" if exact else f"at least {number:,}"


def cost_of_revoking(kids: Sequence[str], *, sessions: int, users: int, exact: bool = True) -> str:
    """Return what somebody should know who is about to revoke these keys."""
    return (
        f"This revokes {counted(len(kids), 'key')} and with them "
        f"{counted(sessions, 'session', exact=exact)} of {counted(users, 'user', exact=exact)}, "
        "who must sign in again. It cannot be undone."
    )

"""What the commands and the admin say alike: numbers and instants."""

from datetime import UTC, datetime


def utc(instant: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC, in whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None


def counted(number: int, noun: str) -> str:
    """Return «1 session», «1,234 sessions»."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")

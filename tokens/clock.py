"""The current time, as an aware instant whatever the project's USE_TZ is."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current instant in UTC."""
    return datetime.now(UTC)

"""
The current time, as an aware instant whatever the project's USE_TZ is.

Every other package reads the time here, and nowhere else. May import nothing.
"""

from datetime import UTC, datetime

__all__ = ["now"]


def now() -> datetime:
    """Return the current instant in UTC."""
    return datetime.now(UTC)

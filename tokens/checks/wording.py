"""How the messages and hints of the checks write a value."""

from datetime import timedelta

_UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


def in_words(duration: timedelta) -> str:
    """Return the duration in its largest whole unit, such as ``5 minutes`` or ``90 seconds``."""
    for unit, length in _UNITS:
        if duration and not duration % length:
            return _counted(duration // length, unit)
    seconds = duration.total_seconds()
    return _counted(int(seconds) if seconds.is_integer() else seconds, "second")


def _counted(number: float, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"

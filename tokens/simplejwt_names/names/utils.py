"""Times and words that code written for simplejwt imports."""

import logging
from calendar import timegm
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

from django.conf import settings
from django.utils.functional import lazy

logger = logging.getLogger("rest_framework_simplejwt")


def get_md5_hash_password(password: str) -> str:
    """Return what simplejwt puts into its claim of the password. No token issued here has it."""
    return md5(password.encode(), usedforsecurity=False).hexdigest().upper()


def make_utc(dt: datetime) -> datetime:
    return dt.replace(tzinfo=UTC) if settings.USE_TZ and dt.tzinfo is None else dt


def aware_utcnow() -> datetime:
    """Return the current time: aware, or naive in UTC in a project without USE_TZ."""
    return as_project_has_it(datetime.now(tz=UTC))


def datetime_to_epoch(dt: datetime) -> int:
    return timegm(dt.utctimetuple())


def datetime_from_epoch(ts: float) -> datetime:
    return as_project_has_it(datetime.fromtimestamp(ts, tz=UTC))


def as_project_has_it(dt: datetime) -> datetime:
    return dt if settings.USE_TZ else dt.replace(tzinfo=None)


def _format(text: str, *args: Any, **kwargs: Any) -> str:
    return text.format(*args, **kwargs)


format_lazy = lazy(_format, str)

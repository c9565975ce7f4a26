"""Rotate the keys of the ring in tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tokens import keyring
from tokens.models import SigningKey


def kid_of(state: str) -> str:
    return str(SigningKey.objects.get(state=state).kid)


def rotate(**how: Any) -> None:
    """Rotate, as if the last rotation were an hour ago."""
    SigningKey.objects.filter(retired_at__isnull=False).update(
        retired_at=datetime.now(UTC) - timedelta(hours=1)
    )
    keyring.rotate(keyring.plan_rotation(**how))

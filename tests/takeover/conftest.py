"""Tokens as djangorestframework-simplejwt 5.5.1 writes them, and its tables."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.db import connection

from tokens.takeover import importing, their_settings
from tokens.takeover.models import OutstandingToken, Switch

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ISSUED = NOW - timedelta(hours=1)
KEY = "the SECRET_KEY of the former site, 0123456789-abcdefghijklmnop"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _simple_jwt(settings: Any) -> None:
    settings.SIMPLE_JWT = {
        "SIGNING_KEY": KEY,
        "REFRESH_TOKEN_LIFETIME": 14 * DAY,
        "ACCESS_TOKEN_LIFETIME": 2 * timedelta(hours=1),
    }


def payload(
    user_id: Any, /, type: str = "refresh", *, issued: datetime = ISSUED, **more: Any
) -> dict[str, Any]:
    lifetime = 14 * DAY if type == "refresh" else timedelta(hours=2)
    members = {
        "token_type": type,
        "exp": int((issued + lifetime).timestamp()),
        "iat": int(issued.timestamp()),
        "jti": uuid4().hex,
        "user_id": str(user_id),
        **more,
    }
    return {name: value for name, value in members.items() if value is not None}


def signed(members: dict[str, Any], *, key: Any = KEY, algorithm: str = "HS256", **how: Any) -> str:
    return jwt.encode(members, key, algorithm=algorithm, **how)


def refresh_token(user: Any, **more: Any) -> str:
    return signed(payload(user.pk, **more))


def access_token(user: Any, **more: Any) -> str:
    return signed(payload(user.pk, "access", **more))


@pytest.fixture
def their_tables(db: None) -> None:
    """Create the two tables of the blacklist app, as far as they are read."""
    number = "INTEGER PRIMARY KEY" if connection.vendor == "sqlite" else "BIGSERIAL PRIMARY KEY"
    instant = "DATETIME" if connection.vendor == "sqlite" else "TIMESTAMPTZ"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE token_blacklist_outstandingtoken (id {number}, "
            f"jti VARCHAR(255) UNIQUE, token TEXT, expires_at {instant})"
        )
        cursor.execute(
            f"CREATE TABLE token_blacklist_blacklistedtoken (id {number}, token_id BIGINT UNIQUE)"
        )


def outstanding(raw_refresh: str) -> OutstandingToken:
    members = jwt.decode(raw_refresh, options={"verify_signature": False})
    return OutstandingToken.objects.create(
        jti=members["jti"],
        token=raw_refresh,
        expires_at=datetime.fromtimestamp(members["exp"], UTC),
    )


def adopt(now: datetime = NOW, **how: Any) -> importing.Imported:
    """Open the switch and import everything, as ``--adopt`` does."""
    theirs = their_settings.read()
    switch = importing.open_switch(theirs, now=now, **how)
    return importing.run(switch, theirs, report=lambda text: None, now=now)


@pytest.fixture
def opened(user: Any) -> Switch:
    """Open the switch without tables of the blacklist app."""
    adopt()
    return Switch.objects.get()

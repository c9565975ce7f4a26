"""What this process hears of the notifications that others send."""

import math

import pytest
from django.db import connection

from tests.support.waiting import wait_until
from tokens import snapshot
from tokens.database.places import place_of
from tokens.models import DeniedToken

postgresql_only = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite only counts")


def listen() -> None:
    """Make the next request check for notifications."""
    snapshot._copies.of(DeniedToken)._listen_at = -math.inf


def hears() -> bool:
    return snapshot._copies.of(DeniedToken).notifications.has_changes(place_of(DeniedToken))


def listens() -> None:
    """Wait until this process hears what other processes announce."""
    if snapshot._copies.of(DeniedToken).notifications._source is None:
        hears()
    # Not heard before, which would leave nothing to wait for.
    wait_until(hears)
    hears()

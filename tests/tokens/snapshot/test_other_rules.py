"""What else holds in strict mode holds here: rules of the project, caches of the ORM, flat plans."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.support.hiding import hide_users
from tests.tokens.sessions.test_model import run_histories
from tests.tokens.test_scans import _rows, scans  # noqa: F401  # fixtures
from tests.tokens.test_uncached import LEVELS
from tokens import denylist, sessions, snapshot
from tokens.errors import UserGone, UserInactive
from tokens.models import DeniedToken
from tokens.snapshot import copy
from tokens.snapshot.copy import Copy

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def good(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshot mode, with a copy of the denylist that has nothing against any token."""
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    monkeypatch.setattr(
        snapshot._copies.of(DeniedToken), "is_known_good", lambda ids, **claims: True
    )


def nobody(user: Any) -> bool:
    return False


# In a transaction of the test, the query would decide anyway.
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("good")
def test_a_rule_is_asked(user: Any, settings: Any) -> None:
    pair = sessions.start(user)
    settings.TOKENS_USER_RULE = f"{__name__}.nobody"
    with pytest.raises(UserInactive):
        sessions.authenticate(pair.raw_access)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("good")
def test_a_hidden_user_is_gone(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = sessions.start(user)
    hide_users(monkeypatch, username="ada")
    with pytest.raises(UserGone):
        sessions.authenticate(pair.raw_access)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_random_histories_go_the_same_way(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(hours=1)
    # The histories run ahead of the clock by which a password change denies.
    monkeypatch.setattr(copy, "HELD_BACK", timedelta(days=3650))
    run_histories(150)
    assert len(snapshot._copies.of(DeniedToken)) > 100


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("level", LEVELS)
def test_a_cache_that_patches_the_orm_hides_no_row(
    user: Any, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    for install in LEVELS[level]:
        install(monkeypatch)
    reading = Copy()
    for value in ("first", "second", "third"):
        reading._read("default", now=NOW)
        until = NOW + timedelta(minutes=6)
        DeniedToken.objects.create(value=value, kind="jti", reason="?", denied_at=NOW, until=until)
        for each in (reading, Copy()):
            each._read("default", now=NOW)
            assert value in each._held


def test_a_reading_scans_no_table(scans: Any) -> None:  # noqa: F811
    read, now = Copy()._read, timezone.now()
    assert scans(lambda: read("default", now=now)) == []
    denylist.deny([("there", None)], kind=DeniedToken.Kind.TOKEN, reason="x", until=now)
    assert scans(lambda: read("default", now=now)) == []

"""freezegun and time-machine replace the time of everything, and the app follows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import freezegun
import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.utils import timezone

from tokens.testing import TokenClient, freeze

AT = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


@contextmanager
def by_freezegun() -> Iterator[Callable[[datetime], Any]]:
    with freezegun.freeze_time(AT) as frozen:
        yield frozen.move_to


@contextmanager
def by_time_machine() -> Iterator[Callable[[datetime], Any]]:
    with time_machine.travel(AT, tick=False) as traveller:
        yield traveller.move_to


@pytest.fixture(params=[by_freezegun, by_time_machine])
def move_to(request: pytest.FixtureRequest) -> Iterator[Callable[[datetime], Any]]:
    with request.param() as move_to:
        yield move_to


@pytest.fixture
def user(db: None) -> Any:
    return get_user_model().objects.create_user("ada", "ada@example.org", "a password")


def test_the_app_follows_the_replaced_time(
    user: Any, token_client: TokenClient, move_to: Callable[[datetime], Any]
) -> None:
    pair = token_client.sign_in(user)
    assert pair.session.started_at == AT
    assert token_client.get("/reports/").status_code == 200
    move_to(AT + timedelta(minutes=6))
    assert token_client.get("/reports/").status_code == 401
    token_client.refresh()
    assert token_client.get("/reports/").status_code == 200


def test_the_frozen_clock_begins_at_the_replaced_time_and_then_has_its_own(
    user: Any, token_client: TokenClient, move_to: Callable[[datetime], Any]
) -> None:
    with freeze() as clock:
        assert clock.now() == AT
        token_client.sign_in(user)
        move_to(AT + timedelta(minutes=6))
        assert timezone.now() == AT + timedelta(minutes=6)
        assert token_client.get("/reports/").status_code == 200
        clock.shift(timedelta(minutes=6))
        assert token_client.get("/reports/").status_code == 401

"""The clock of a test stands still until the test moves it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tokens.testing.conftest import SignIn, status
from tokens import sessions
from tokens.errors import Expired
from tokens.models import SigningKey
from tokens.testing import FrozenClock, freeze, sign_in


def test_a_frozen_clock_stands_still_until_it_is_moved(
    user: Any, sign_in: SignIn, frozen_clock: FrozenClock
) -> None:
    client = sign_in(user)
    assert client.pair.answered_at == frozen_clock.now()
    frozen_clock.shift(timedelta(minutes=6))
    assert status(client) == 401
    frozen_clock.shift(timedelta(minutes=-6))
    assert status(client) == 200
    frozen_clock.move_to(frozen_clock.now() + timedelta(days=15))
    with pytest.raises(Expired):
        client.refresh()


def test_a_clock_can_be_frozen_anywhen_but_not_by_a_naive_time(user: Any) -> None:
    at = datetime(2040, 1, 2, tzinfo=UTC)
    with freeze(at) as clock:
        assert sign_in(user).session.started_at == at
        with freeze(at + timedelta(days=1)):
            assert sign_in(user).session.started_at == at + timedelta(days=1)
        assert sign_in(user).session.started_at == at
        with pytest.raises(ValueError, match="aware"):
            clock.move_to(datetime(2040, 1, 2))  # noqa: DTZ001
    assert sign_in(user).session.started_at < at


def test_what_the_process_remembers_gets_older_with_the_clock(
    user: Any, frozen_clock: FrozenClock
) -> None:
    sessions.start(user)
    SigningKey.objects.all().delete()
    # A copy of the key ring is a second old at most when it signs.
    frozen_clock.shift(timedelta(seconds=2))
    frozen_clock.shift(timedelta(seconds=0))
    assert not SigningKey.objects.exists()
    held = sign_in(user)
    assert SigningKey.objects.filter(kid=held.session.kid).exists()


def test_the_notes_are_written_before_the_clock_moves(
    user: Any, sign_in: SignIn, frozen_clock: FrozenClock
) -> None:
    client = sign_in(user)
    status(client)
    frozen_clock.shift(timedelta(seconds=1))
    assert client.held is not None
    assert client.held.session.seen

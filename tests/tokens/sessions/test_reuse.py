"""Which superseded refresh tokens are reuse, and end the session."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.tokens.sessions.refreshes import GRACE, NOW, SECOND, refresh, row, use
from tokens import sessions
from tokens.errors import RefreshTokenReused
from tokens.models import EndReason
from tokens.sessions import TokenPair, seen

pytestmark = pytest.mark.django_db


def test_a_repeat_early_in_the_grace_does_not_prolong_it(pair: TokenPair) -> None:
    sessions.refresh(pair.raw_refresh, now=NOW)
    second = sessions.refresh(pair.raw_refresh, now=NOW + GRACE / 2)
    sessions.authenticate(second.raw_access, now=NOW + GRACE)
    seen.flush()
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, now=NOW + GRACE + SECOND)


@pytest.mark.parametrize("what", ["access", "refresh"])
def test_an_answer_that_was_used_was_not_lost(pair: TokenPair, what: str) -> None:
    successor = refresh(pair, after=SECOND)
    if what == "access":
        use(successor, after=2 * SECOND)
    else:
        refresh(successor, after=2 * SECOND)
        seen.flush()
    with pytest.raises(RefreshTokenReused):
        refresh(pair, after=timedelta(minutes=1))
    assert row().end_reason == EndReason.REUSE


def test_only_the_token_just_before_the_current_can_have_lost_its_answer(pair: TokenPair) -> None:
    first = refresh(pair, after=SECOND)
    refresh(first, after=SECOND * 2 + GRACE)
    with pytest.raises(RefreshTokenReused):
        refresh(pair, after=SECOND * 3 + GRACE)


def test_a_rotation_forgets_what_was_seen_before_it(pair: TokenPair) -> None:
    use(pair, after=SECOND)
    assert row().seen
    refresh(pair, after=SECOND)
    assert not row().seen
    use(pair, after=2 * SECOND)  # of the former generation, which proves nothing
    assert not row().seen


def test_a_late_answer_that_replaced_the_current_pair_ends_no_session(pair: TokenPair) -> None:
    """One tab's answer is on its way while another tab rotates, and is stored after the new pair."""
    stored_again = refresh(refresh(pair, after=SECOND), after=GRACE)
    newest = refresh(stored_again, after=GRACE + 2 * SECOND)
    use(newest, after=GRACE + 3 * SECOND)
    late = timedelta(minutes=10)
    assert refresh(stored_again, after=late).session.generation == newest.session.generation
    assert refresh(stored_again, after=late + GRACE).session.ended_at is None  # A queued call.
    with pytest.raises(RefreshTokenReused):
        refresh(stored_again, after=late + GRACE + 2 * SECOND)


def test_an_answer_long_before_the_rotation_excuses_no_reuse(pair: TokenPair) -> None:
    first = refresh(pair, after=SECOND)
    refresh(first, after=10 * SECOND)
    use(refresh(first, after=GRACE + 2 * SECOND), after=GRACE + 3 * SECOND)
    with pytest.raises(RefreshTokenReused):
        refresh(first, after=timedelta(minutes=10))


def test_a_denied_access_token_was_seen(pair: TokenPair) -> None:
    first = refresh(pair, after=SECOND)
    sessions.revoke(first.raw_access, now=NOW + 2 * SECOND)
    with pytest.raises(RefreshTokenReused):
        refresh(pair, after=timedelta(minutes=2))


@pytest.mark.parametrize("verb", [sessions.revoke, sessions.find_by_refresh_token])
def test_a_superseded_token_that_ends_a_session_ends_it_as_reuse(
    pair: TokenPair, verb: Any
) -> None:
    use(refresh(pair, after=SECOND), after=2 * SECOND)
    with suppress(RefreshTokenReused):
        verb(pair.raw_refresh, now=NOW + timedelta(minutes=1))
    assert row().end_reason == EndReason.REUSE

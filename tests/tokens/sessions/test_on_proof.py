"""TOKENS_ROTATION = "on_proof": the first refresh token is good until a successor is presented."""

from datetime import timedelta
from typing import Any

import pytest

from tokens import sessions
from tokens.errors import RefreshTokenReused, TokenError
from tokens.sessions import TokenPair

from .refreshes import GRACE, HOME, NOW, SECOND, refresh, row, use

pytestmark = pytest.mark.django_db
MINUTE = 60 * SECOND


@pytest.fixture(autouse=True)
def _on_proof(settings: Any) -> None:
    settings.TOKENS_ROTATION = "on_proof"


@pytest.fixture
def first(user: Any) -> TokenPair:
    return sessions.start(user, client=HOME, now=NOW)


def test_a_client_that_keeps_its_first_token_is_served_until_that_expires(
    first: TokenPair,
) -> None:
    jtis = set()
    for days in range(14):
        pair = refresh(first, after=timedelta(days=days))
        use(pair, after=timedelta(days=days))
        jtis.add(sessions.authenticate(pair.raw_access, now=NOW + timedelta(days=days)).claims.jti)
    assert len(jtis) == row().generation == 14
    assert (row().repeats, row().proven_generation) == (0, 0)
    with pytest.raises(TokenError):
        refresh(first, after=timedelta(days=15))


def test_a_denied_access_token_denies_none_that_comes_later(first: TokenPair) -> None:
    pair = refresh(first, after=MINUTE)
    sessions.revoke(pair.raw_access, now=NOW + MINUTE)
    use(refresh(first, after=2 * MINUTE), after=2 * MINUTE)


def test_a_successor_proves_that_the_client_keeps_them(first: TokenPair) -> None:
    refresh(first, after=MINUTE)
    second = refresh(first, after=5 * MINUTE)
    third = refresh(second, after=10 * MINUTE)
    use(third, after=10 * MINUTE)
    assert (row().generation, row().proven_generation) == (3, 2)
    with pytest.raises(RefreshTokenReused):
        refresh(first, after=11 * MINUTE)


def test_any_successor_is_good_while_none_was_presented(first: TokenPair) -> None:
    early = refresh(first, after=MINUTE)
    refresh(first, after=5 * MINUTE)
    refresh(early, after=10 * MINUTE)
    # Its twin, which was queued, gets the same pair; later, it is a reuse.
    twin = refresh(early, after=10 * MINUTE + SECOND)
    use(twin, after=10 * MINUTE + SECOND)
    with pytest.raises(RefreshTokenReused):
        refresh(early, after=11 * MINUTE)


def test_calls_that_were_queued_with_the_first_token_get_the_same_pair(first: TokenPair) -> None:
    refresh(first, after=MINUTE)
    second = refresh(first, after=5 * MINUTE)
    again = refresh(second, after=5 * MINUTE + SECOND)
    assert row().proven_generation == 2
    queued = refresh(first, after=5 * MINUTE + GRACE)
    assert second.raw_refresh == again.raw_refresh == queued.raw_refresh
    use(queued, after=5 * MINUTE + GRACE)
    with pytest.raises(RefreshTokenReused):
        refresh(first, after=7 * MINUTE)


def test_a_password_change_gives_a_new_first_token(user: Any, first: TokenPair) -> None:
    refresh(first, after=MINUTE)
    user.set_password("another")
    pair = sessions.change_password(user, keep=first.session.pk, now=NOW + 2 * MINUTE)
    for minutes in (5, 10, 15):
        use(refresh(pair, after=minutes * MINUTE), after=minutes * MINUTE)
    with pytest.raises(TokenError):
        refresh(first, after=20 * MINUTE)


def test_verify_counts_no_first_token_as_superseded(first: TokenPair) -> None:
    refresh(first, after=MINUTE)
    sessions.verify(first.raw_refresh, now=NOW + 5 * MINUTE)
    assert row().repeats == 0


def test_a_change_of_the_setting_makes_no_superseded_token_good(
    first: TokenPair, settings: Any
) -> None:
    settings.TOKENS_ROTATION = "always"
    second = refresh(first, after=MINUTE)
    third = refresh(second, after=5 * MINUTE)
    use(third, after=5 * MINUTE)
    settings.TOKENS_ROTATION = "on_proof"
    with pytest.raises(RefreshTokenReused):
        refresh(first, after=6 * MINUTE)


def test_a_change_back_signs_out_clients_that_keep_the_first_token(
    first: TokenPair, settings: Any
) -> None:
    use(refresh(first, after=MINUTE), after=MINUTE)
    settings.TOKENS_ROTATION = "always"
    with pytest.raises(RefreshTokenReused):
        refresh(first, after=5 * MINUTE)


def test_a_proof_stands_although_the_first_token_rotates_at_the_same_time(
    first: TokenPair,
) -> None:
    second = refresh(first, after=MINUTE)

    def proof(_: TokenPair) -> None:
        # Of a call that came earlier, within the grace.
        refresh(second, after=MINUTE + GRACE)

    late = MINUTE + GRACE + SECOND
    third = sessions.refresh(first.raw_refresh, client=HOME, check=proof, now=NOW + late)
    use(third, after=late)
    assert (row().generation, row().proven_generation) == (2, 1)
    with pytest.raises(RefreshTokenReused):
        refresh(first, after=5 * MINUTE)

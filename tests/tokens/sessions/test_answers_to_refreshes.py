"""The table of what a refresh token is answered: DESIGN's rows, one by one."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import hashers

from tests.tokens.sessions.refreshes import GRACE, NOW, SECOND, refresh, row, use
from tokens import keyring, sessions
from tokens.errors import Denied, RefreshTokenReused, SessionEnded
from tokens.models import Session
from tokens.sessions import TokenPair, seen, writes

pytestmark = pytest.mark.django_db


def test_the_sign_ins_own_token_rotates_at_once(pair: TokenPair) -> None:
    assert refresh(pair, after=SECOND).raw_refresh != pair.raw_refresh
    assert row().generation == 1


def test_a_fresh_token_gets_the_same_pair_until_the_grace_is_over(pair: TokenPair) -> None:
    first = refresh(pair, after=SECOND)
    again = refresh(first, after=SECOND + GRACE)
    assert again.raw_refresh == first.raw_refresh
    assert row().generation == 1
    assert refresh(first, after=2 * SECOND + GRACE).raw_refresh != first.raw_refresh
    assert row().generation == 2


def test_calls_in_flight_never_end_a_session(pair: TokenPair) -> None:
    """X refreshes; Y's late 401 reads the new token and refreshes too; Z's queued old one arrives."""
    x = refresh(pair, after=SECOND)
    y = refresh(x, after=SECOND * 1.2)
    z = refresh(pair, after=SECOND * 1.4)
    assert x.raw_refresh == y.raw_refresh == z.raw_refresh
    assert row().ended_at is None


def test_the_same_pair_has_an_access_token_of_a_whole_lifetime(pair: TokenPair) -> None:
    first = refresh(pair, after=SECOND)
    again = refresh(pair, after=20 * SECOND)
    assert again.access_expires_at - first.access_expires_at == 19 * SECOND
    claims = [
        sessions.verify(one.raw_access, now=NOW + 20 * SECOND).claims for one in (first, again)
    ]
    assert claims[0].jti == claims[1].jti


def test_no_access_token_outlives_the_refresh_token(pair: TokenPair) -> None:
    """A lost answer is asked for in the last minute of its idle limit."""
    lost = refresh(pair, after=SECOND)
    late = refresh(pair, after=timedelta(days=14) - 60 * SECOND)
    assert late.access_expires_at == late.refresh_expires_at == lost.refresh_expires_at


@pytest.mark.parametrize("late", [timedelta(minutes=1), timedelta(days=3)])
def test_a_lost_answer_can_be_asked_for_however_late(pair: TokenPair, late: timedelta) -> None:
    lost = refresh(pair, after=SECOND)
    again = refresh(pair, after=late)
    assert again.refresh_expires_at == lost.refresh_expires_at
    claims = [
        sessions.verify(raw, now=NOW + late).claims for raw in (lost.raw_refresh, again.raw_refresh)
    ]
    assert claims[0].jti == claims[1].jti
    assert row().ended_at is None


def test_after_a_lost_answer_the_queued_calls_are_answered_within_a_new_grace(
    pair: TokenPair,
) -> None:
    """Three calls queue after days with the token whose answer was lost; the first one goes on."""
    days = timedelta(days=3)
    refresh(pair, after=SECOND)
    found = refresh(pair, after=days)
    use(found, after=days + SECOND)
    assert refresh(pair, after=days + 2 * SECOND).raw_refresh == found.raw_refresh
    assert refresh(found, after=days + 3 * SECOND).raw_refresh == found.raw_refresh
    assert refresh(pair, after=days + GRACE).raw_refresh == found.raw_refresh
    assert row().generation == 1
    with pytest.raises(RefreshTokenReused):
        refresh(pair, after=days + GRACE + SECOND)


def test_calls_queued_with_one_token_are_answered_over_the_end_of_the_grace(
    pair: TokenPair,
) -> None:
    """The first answer was lost; the second arrives just before the grace ends, and is used."""
    sessions.refresh(pair.raw_refresh, now=NOW)
    second = sessions.refresh(pair.raw_refresh, now=NOW + GRACE - SECOND)
    sessions.authenticate(second.raw_access, now=NOW + GRACE)
    seen.flush()
    queued = sessions.refresh(pair.raw_refresh, now=NOW + GRACE + 9 * SECOND)
    assert queued.session.generation == second.session.generation


def test_a_pair_that_was_superseded_meanwhile_is_not_given_again(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One tab's request takes two seconds over the end of the grace; another tab rotates in them."""
    second = sessions.refresh(pair.raw_refresh, now=NOW)
    count, later = writes.count_repeat, NOW + GRACE + SECOND
    rotated: list[TokenPair] = []

    def rotate_first(*args: Any, **how: Any) -> bool:
        if not rotated:
            rotated.append(sessions.refresh(second.raw_refresh, now=later))
        return count(*args, **how)

    monkeypatch.setattr(writes, "count_repeat", rotate_first)
    found = sessions.refresh(second.raw_refresh, now=NOW + GRACE - SECOND)
    assert found.session.generation == rotated[0].session.generation == 2
    assert row().repeats == 1
    monkeypatch.setattr(writes, "count_repeat", lambda *_, **__: False)
    with pytest.raises(SessionEnded, match="again and again"):
        sessions.refresh(found.raw_refresh, now=later)


def test_a_refresh_during_an_upgrade_of_the_hash_keeps_the_session(
    user: Any, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has read the former hash, and would write that to the row."""
    rotate = writes.rotate

    def upgrade_first(*args: Any, **columns: Any) -> bool:
        monkeypatch.setattr(writes, "rotate", rotate)
        user.password = hashers.make_password("the same password")
        type(user).objects.filter(pk=user.pk).update(password=user.password)
        Session.objects.update(auth_hash=user.get_session_auth_hash())
        return rotate(*args, **columns)

    monkeypatch.setattr(writes, "rotate", upgrade_first)
    found = sessions.refresh(pair.raw_refresh, now=NOW)
    sessions.authenticate(found.raw_access, now=NOW)
    assert sessions.refresh(found.raw_refresh, now=NOW).session.generation == 1


def test_the_same_pair_keeps_a_denied_access_token_denied(pair: TokenPair) -> None:
    first = refresh(pair, after=SECOND)
    sessions.revoke(first.raw_access, now=NOW + 2 * SECOND)
    again = refresh(pair, after=20 * SECOND)
    with pytest.raises(Denied):
        sessions.authenticate(again.raw_access, now=NOW + 21 * SECOND)


def test_a_failing_hook_leaves_the_refresh_token_good(pair: TokenPair, settings: Any) -> None:
    settings.TOKENS_CLAIMS_HOOK = f"{__name__}.failing_hook"
    with pytest.raises(ConnectionError):
        refresh(pair, after=SECOND)
    settings.TOKENS_CLAIMS_HOOK = None
    assert row().generation == 0
    assert refresh(pair, after=timedelta(minutes=1)).session.generation == 1


def failing_hook(session: Session) -> dict[str, Any]:
    raise ConnectionError


def test_a_pair_that_its_caller_cannot_use_is_not_issued(user: Any, pair: TokenPair) -> None:
    def refuse(pair: TokenPair) -> None:
        raise ValueError("too large for a cookie")

    with pytest.raises(ValueError, match="too large"):
        sessions.refresh(pair.raw_refresh, check=refuse, now=NOW)
    with pytest.raises(ValueError, match="too large"):
        sessions.start(user, check=refuse, now=NOW)
    assert row().generation == 0


def test_a_key_of_another_spelling_starts_a_session_that_works(django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("ida", "ida@example.org", "x")
    user.pk = str(user.pk).upper()
    pair = sessions.start(user, now=NOW)
    assert sessions.authenticate(pair.raw_access, now=NOW).user.username == "ida"


def test_a_session_follows_the_secret_key_at_each_refresh(user: Any, settings: Any) -> None:
    pair = sessions.start(user, now=NOW)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-that-is-long-enough-0123456789"
    pair = refresh(pair, after=SECOND)
    settings.SECRET_KEY_FALLBACKS = []
    sessions.authenticate(pair.raw_access, now=NOW + SECOND)


def test_the_key_of_a_pair_given_again_is_the_rows(pair: TokenPair) -> None:
    first = refresh(pair, after=SECOND)
    keyring.rotate(keyring.plan_rotation(now=NOW + 2 * SECOND), now=NOW + 2 * SECOND)
    assert refresh(pair, after=4 * SECOND).raw_refresh == first.raw_refresh

"""Each way to end is in the lists, with the sessions that it ends and no others."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from tests.status_list.conftest import claims_of, reference, status
from tokens import clock, keyring, sessions
from tokens.errors import RefreshTokenReused, TokenError
from tokens.models import EndReason, Session
from tokens.operations import revocation
from tokens.sessions import TokenPair
from tokens.status_list import statuses
from tokens.status_list.models import RefusedIndex
from tokens.testing.frozen import FrozenClock

VALID, INVALID = 0, 1

pytestmark = pytest.mark.django_db(transaction=True)


def is_accepted(raw_access: str) -> bool:
    try:
        sessions.authenticate(raw_access)
    except TokenError:
        return False
    return True


def agrees(raw_access: str) -> int:
    """Return the status, which must be what this site answers."""
    found = status(raw_access)
    assert (found == VALID) is is_accepted(raw_access)
    return found


def sign_out(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_refresh)


def sign_out_everywhere(pair: TokenPair) -> None:
    sessions.end_all(pair.session.user, reason=EndReason.LOGOUT)


def end_own_session(pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.LOGOUT)


def deny_access_token(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_access)


def revoke_by_staff(pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.REVOKED, note="lost laptop")


def reuse(pair: TokenPair) -> None:
    # Both later tokens were seen in use, so the first cannot be a lost answer.
    now = clock.now() + timedelta(minutes=1)
    second = sessions.refresh(pair.raw_refresh, now=now)
    sessions.refresh(second.raw_refresh, now=now + timedelta(minutes=1))
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, now=now + timedelta(minutes=1))


def change_password(pair: TokenPair) -> None:
    pair.session.user.set_password("another horse")
    pair.session.user.save()


def deactivate(pair: TokenPair) -> None:
    pair.session.user.is_active = False
    pair.session.user.save()


def delete(pair: TokenPair) -> None:
    type(pair.session.user).objects.get(pk=pair.session.user_id).delete()


def revoke_key(pair: TokenPair) -> None:
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))


def revoke_user(pair: TokenPair) -> None:
    sessions.revoke_user(pair.session.user, note="asked for it")


def revoke_everything(pair: TokenPair) -> None:
    sessions.revoke_everything(note="leak")


OF_ONE = [sign_out, end_own_session, deny_access_token, revoke_by_staff, reuse]
OF_A_USER = [sign_out_everywhere, change_password, deactivate, delete, revoke_user]
OF_ALL = [revoke_key, revoke_everything]


@pytest.fixture
def other(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("bob", "bob@example.org")


@pytest.mark.parametrize("end", [*OF_ONE, *OF_A_USER, *OF_ALL])
def test_what_ends_a_session_makes_its_token_invalid(
    end: Callable[[TokenPair], None], user: Any, other: Any
) -> None:
    pair, beside, of_other = sessions.start(user), sessions.start(user), sessions.start(other)
    tokens = [pair.raw_access, beside.raw_access, of_other.raw_access]
    assert [agrees(token) for token in tokens] == [VALID] * 3
    end(pair)
    expected = [INVALID, VALID, VALID]
    if end in OF_A_USER:
        expected = [INVALID, INVALID, VALID]
    if end in OF_ALL:
        expected = [INVALID] * 3
        # Such a cut-off is as far ahead as a clock may be.
        for session in Session.objects.all():
            assert session.ended_at is None
    if end is revoke_key:
        # The key that verified the tokens is gone, so no verifier gets as far as their status.
        assert [status(token) for token in tokens] == expected
        return
    assert [agrees(token) for token in tokens] == expected


@pytest.mark.parametrize("end", [*OF_ONE[1:4], *OF_A_USER, *OF_ALL])
def test_what_ends_a_session_makes_an_access_token_invalid_that_came_alone(
    end: Callable[[Any], None], user: Any, frozen_clock: FrozenClock
) -> None:
    """It may live on for days after a denial has been pruned."""
    token = sessions.issue_access_token(user, lifetime=timedelta(days=30))
    assert agrees(token.raw_access) == VALID
    end(token)
    assert status(token.raw_access) == INVALID
    frozen_clock.shift(timedelta(days=29))
    assert status(token.raw_access) == INVALID


def test_a_password_change_refuses_the_former_tokens_and_no_new_ones(user: Any) -> None:
    pair, beside = sessions.start(user), sessions.start(user)
    before = reference(pair.raw_access)
    user.set_password("another horse")
    moved = sessions.change_password(user, keep=pair.session.pk)
    assert agrees(pair.raw_access) == agrees(beside.raw_access) == INVALID
    assert agrees(moved.raw_access) == VALID
    assert reference(moved.raw_access) != before
    later = clock.now() + timedelta(minutes=1)
    assert reference(sessions.refresh(moved.raw_refresh, now=later).raw_access) == reference(
        moved.raw_access
    )


def test_after_a_token_was_denied_its_session_goes_on_with_another_index(user: Any) -> None:
    pair = sessions.start(user)
    sessions.revoke(pair.raw_access)
    later = clock.now() + timedelta(minutes=1)
    successor = sessions.refresh(pair.raw_refresh, now=later)
    assert status(pair.raw_access) == INVALID
    assert status(successor.raw_access) == VALID
    third = sessions.refresh(successor.raw_refresh, now=later + timedelta(minutes=1))
    assert reference(third.raw_access) == reference(successor.raw_access)


def test_a_denied_token_that_is_given_again_within_the_grace_stays_invalid(user: Any) -> None:
    pair = sessions.start(user)
    now = clock.now() + timedelta(minutes=1)
    successor = sessions.refresh(pair.raw_refresh, now=now)
    sessions.revoke(successor.raw_access, now=now)
    again = sessions.refresh(pair.raw_refresh, now=now + timedelta(seconds=9))
    assert reference(again.raw_access) == reference(successor.raw_access)
    assert status(again.raw_access) == INVALID


def test_a_token_that_is_denied_twice_takes_one_index(user: Any) -> None:
    pair = sessions.start(user)
    jti = sessions.authenticate(pair.raw_access).claims.jti
    sessions.revoke_token(jti, pair.session)
    before = Session.objects.get().status_index
    sessions.revoke_token(jti, pair.session)
    assert Session.objects.get().status_index == before
    assert len(before.split()) == 2


def test_an_end_is_forgotten_when_its_tokens_have_expired(
    user: Any, frozen_clock: FrozenClock
) -> None:
    """Otherwise a list would grow for ever, and could not be compressed."""
    pair = sessions.start(user)
    sessions.end([pair.session], reason=EndReason.LOGOUT)
    frozen_clock.shift(statuses.margin() - timedelta(seconds=1))
    assert status(pair.raw_access) == INVALID
    frozen_clock.shift(timedelta(seconds=2))
    assert status(pair.raw_access) == VALID


def test_after_everything_was_revoked_a_sign_in_is_valid_at_once(user: Any) -> None:
    """Its index is of another block, so a list that a reader has already does not refuse it."""
    before = sessions.start(user)
    sessions.revoke_everything(note="leak")
    after = sessions.start(user, now=clock.now() + timedelta(seconds=11))
    block = 2**16
    assert reference(after.raw_access)[0] // block != reference(before.raw_access)[0] // block
    assert agrees(before.raw_access) == INVALID
    assert status(after.raw_access) == VALID


def test_a_session_with_an_index_of_an_older_block_is_valid_if_it_began_after_the_cut_off(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sessions.start(user)
    index = sessions.start(user).session.status_index
    Session.objects.filter(status_index=index).delete()
    sessions.revoke_everything(note="leak")
    after = sessions.start(user, now=clock.now() + timedelta(seconds=11))
    Session.objects.filter(pk=after.session.pk).update(status_index=index)
    raw_access = sessions.refresh(
        after.raw_refresh, now=clock.now() + timedelta(minutes=1)
    ).raw_access
    assert status(raw_access) == VALID
    assert status(before.raw_access) == INVALID
    sessions.end([after.session], reason=EndReason.LOGOUT)
    assert status(raw_access) == INVALID


def test_a_session_from_before_the_installation_gets_its_index_at_the_next_refresh(
    user: Any, settings: Any
) -> None:
    settings.TOKENS_STATUS_LIST_URL = None
    pair = sessions.start(user)
    assert pair.session.status_index == ""
    sessions.revoke_token(sessions.authenticate(pair.raw_access).claims.jti, pair.session)
    settings.TOKENS_STATUS_LIST_URL = "https://accounts.example.com/status-lists/"
    later = clock.now() + timedelta(minutes=1)
    successor = sessions.refresh(pair.raw_refresh, now=later)
    assert status(successor.raw_access) == VALID
    sessions.revoke(successor.raw_refresh)
    assert status(successor.raw_access) == INVALID


def test_of_two_processes_that_give_a_session_its_first_index_one_wins(user: Any) -> None:
    pair = sessions.start(user)
    stale = Session.objects.get()
    stale.status_index = ""
    statuses.claims(stale, until=clock.now(), now=clock.now())
    assert stale.status_index == pair.session.status_index == Session.objects.get().status_index


def test_a_session_without_an_index_moves_without_one(user: Any, settings: Any) -> None:
    settings.TOKENS_STATUS_LIST_URL = None
    pair = sessions.start(user)
    user.set_password("another horse")
    moved = sessions.change_password(user, keep=pair.session.pk)
    assert moved.session.status_index == ""


def test_a_token_of_a_pair_that_is_made_to_last_longer_has_no_status(user: Any) -> None:
    session = sessions.start(user).session
    now: datetime = clock.now()
    assert statuses.claims(session, until=now + timedelta(hours=1), now=now) == {}


def test_the_session_of_a_deleted_user_matters_only_while_its_tokens_may_be_accepted(
    user: Any, frozen_clock: FrozenClock
) -> None:
    pair = sessions.start(user)
    frozen_clock.shift(timedelta(days=1))
    current = sessions.start(user)
    user.delete()
    assert status(pair.raw_access) == VALID  # Expired, which a verifier sees first (§8.3).
    assert status(current.raw_access) == INVALID


def test_deleting_a_user_who_is_gone_already_refuses_nothing(user: Any) -> None:
    type(user).objects.filter(pk=user.pk)._raw_delete("default")
    with transaction.atomic():
        statuses.before_user_delete(type(user), user)
    assert not RefusedIndex.objects.exists()


def test_denying_a_token_from_before_a_password_change_refuses_no_later_one(user: Any) -> None:
    """Staff may find its jti in a log. The later tokens have another index."""
    former = sessions.start(user)
    later = sessions.change_password(user, keep=former.session.pk, save=partial(new_password, user))
    jti = claims_of(former.raw_access)["jti"]
    revocation.deny_jti(jti, note="found in a log")
    assert agrees(former.raw_access) == INVALID
    assert agrees(later.raw_access) == VALID


def new_password(user: Any) -> None:
    user.set_password("a quite different one 27")
    user.save()

"""Tokens of the other package after the switch: who is let in, how often, and until when."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tokens import sessions
from tokens.errors import (
    Denied,
    Expired,
    PasswordChanged,
    SessionEnded,
    TokenError,
    UserGone,
    UserInactive,
    WithoutKeyID,
    WrongClaims,
)
from tokens.models import EndReason, Session, SessionKind
from tokens.operations import pruning
from tokens.takeover import outstanding as takeover
from tokens.takeover import status
from tokens.takeover.models import AdoptedToken, BlacklistedToken, Switch

from .conftest import (
    DAY,
    ISSUED,
    NOW,
    access_token,
    adopt,
    outstanding,
    payload,
    refresh_token,
    signed,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_no_token_is_accepted_before_the_switch_begins(user: Any) -> None:
    with pytest.raises(WithoutKeyID):
        sessions.authenticate(access_token(user), now=NOW)
    assert not Session.objects.exists()


@pytest.mark.usefixtures("opened")
def test_an_access_token_brings_its_user_until_it_expires(user: Any) -> None:
    raw = access_token(user, role="editor")
    found = sessions.authenticate(raw, now=NOW)
    assert found.user == user
    assert found.claims.extra == {"user_id": str(user.pk), "role": "editor"}
    assert found.session.kind == SessionKind.ACCESS
    sessions.authenticate(raw, now=ISSUED + timedelta(hours=2, seconds=-1))
    with pytest.raises(Expired):
        sessions.authenticate(raw, now=ISSUED + timedelta(hours=2))


@pytest.mark.usefixtures("opened")
def test_a_refresh_token_becomes_one_session_that_goes_on_with_ours(user: Any) -> None:
    raw = refresh_token(user, role="editor")
    first = sessions.refresh(raw, now=NOW)
    again = sessions.refresh(raw, now=NOW + timedelta(seconds=1))
    assert first.raw_refresh == again.raw_refresh
    assert first.session.pk == again.session.pk
    found = sessions.authenticate(first.raw_access, now=NOW)
    assert found.user == user
    assert found.claims.extra == {"user_id": str(user.pk), "role": "editor"}
    assert sessions.refresh(first.raw_refresh, now=NOW + MINUTE).session.generation == 2
    assert AdoptedToken.objects.get().used_at == NOW


@pytest.mark.usefixtures("opened")
def test_under_rotation_a_former_token_that_comes_late_is_a_reuse(user: Any) -> None:
    raw = refresh_token(user)
    pair = sessions.refresh(raw, now=NOW)
    sessions.refresh(pair.raw_refresh, now=NOW + MINUTE)
    with pytest.raises(SessionEnded):
        sessions.refresh(raw, now=NOW + 2 * MINUTE)


@pytest.mark.usefixtures("opened")
def test_on_proof_the_former_token_is_good_until_it_expires(user: Any, settings: Any) -> None:
    settings.TOKENS_ROTATION = "on_proof"
    raw = refresh_token(user)
    for after in (0 * MINUTE, 6 * MINUTE, 3 * DAY, 13 * DAY):
        pair = sessions.refresh(raw, now=NOW + after)
        sessions.authenticate(pair.raw_access, now=NOW + after)
    assert Session.objects.filter(kind=SessionKind.PAIR).count() == 1
    with pytest.raises(Expired):
        sessions.refresh(raw, now=ISSUED + 14 * DAY)


@pytest.mark.usefixtures("opened")
def test_on_proof_a_successor_puts_the_session_under_rotation(user: Any, settings: Any) -> None:
    settings.TOKENS_ROTATION = "on_proof"
    raw = refresh_token(user)
    sessions.refresh(raw, now=NOW)
    pair = sessions.refresh(raw, now=NOW + 5 * MINUTE)
    sessions.refresh(pair.raw_refresh, now=NOW + 10 * MINUTE)
    with pytest.raises(SessionEnded):
        sessions.refresh(raw, now=NOW + 11 * MINUTE)


def end_all(user: Any) -> None:
    sessions.end_all(user, reason=EndReason.REVOKED, now=NOW)


def revoke_user(user: Any) -> None:
    sessions.revoke_user(user, note="stolen", now=NOW)


def revoke_everything(user: Any) -> None:
    sessions.revoke_everything(note="leak", now=NOW)


def change_password(user: Any) -> None:
    user.set_password("another one")
    user.save()


def change_password_by_query(user: Any) -> None:
    get_user_model().objects.filter(pk=user.pk).update(password="another hash")


def deactivate_for_a_moment(user: Any) -> None:
    for user.is_active in (False, True):
        user.save()


ENDS = [
    end_all,
    revoke_user,
    revoke_everything,
    change_password,
    change_password_by_query,
    deactivate_for_a_moment,
]


@pytest.mark.parametrize("take_back", ENDS)
@pytest.mark.parametrize("make", [refresh_token, access_token])
@pytest.mark.usefixtures("opened")
def test_what_takes_back_reaches_tokens_that_nothing_was_known_about(
    user: Any, take_back: Any, make: Any
) -> None:
    raw = make(user)
    take_back(user)
    pruning.prune(now=NOW + 2 * DAY)
    with pytest.raises(TokenError):
        sessions.verify(raw, now=NOW + MINUTE)


@pytest.mark.parametrize("take_back", ENDS)
@pytest.mark.usefixtures("their_tables")
def test_what_takes_back_reaches_tokens_that_were_imported(user: Any, take_back: Any) -> None:
    raw = refresh_token(user)
    outstanding(raw)
    assert adopt().tokens == 1
    take_back(user)
    with pytest.raises(TokenError):
        sessions.refresh(raw, now=NOW + MINUTE)


@pytest.mark.usefixtures("opened")
def test_a_sign_out_with_a_former_refresh_token_is_for_good(user: Any, settings: Any) -> None:
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "REFRESH_TOKEN_LIFETIME": 365 * DAY}
    adopt()
    raw = signed(payload(user.pk, exp=int((NOW + 365 * DAY).timestamp())))
    sessions.revoke(raw, now=NOW)
    with pytest.raises(SessionEnded):
        sessions.refresh(raw, now=NOW)
    pruning.prune(now=NOW + 200 * DAY)
    assert not Session.objects.filter(kind=SessionKind.PAIR).exists()
    with pytest.raises(UserGone):
        sessions.refresh(raw, now=NOW + 200 * DAY)


@pytest.mark.usefixtures("opened")
def test_a_former_access_token_is_taken_back_alone(user: Any) -> None:
    one, other = access_token(user), access_token(user)
    sessions.revoke(one, now=NOW)
    with pytest.raises(Denied):
        sessions.authenticate(one, now=NOW)
    sessions.authenticate(other, now=NOW)


@pytest.mark.usefixtures("opened")
def test_inactive_and_deleted_users_are_refused(user: Any) -> None:
    deactivated, deleted = refresh_token(user), access_token(user)
    user.is_active = False
    user.save()
    with pytest.raises(UserInactive):
        sessions.refresh(deactivated, now=NOW)
    user.delete()
    with pytest.raises(UserGone):
        sessions.authenticate(deleted, now=NOW)


@pytest.mark.usefixtures("opened")
def test_a_user_who_was_inactive_at_the_import_has_no_former_token_left(db: None) -> None:
    user: Any = get_user_model().objects.create_user("late", "late@example.org", "secret")
    with pytest.raises(UserGone):
        sessions.refresh(refresh_token(user), now=NOW)
    # Registered at the former site after the import, and before the cut-over.
    raw = refresh_token(user, issued=NOW + MINUTE)
    sessions.refresh(raw, now=NOW + 2 * MINUTE)


@pytest.mark.usefixtures("their_tables")
def test_a_blacklisted_token_is_refused_also_if_that_came_after_the_import(user: Any) -> None:
    before, after = refresh_token(user), refresh_token(user)
    BlacklistedToken.objects.create(token_id=outstanding(before).pk)
    row = outstanding(after)
    done = adopt()
    assert (done.tokens, done.blacklisted) == (1, 1)
    BlacklistedToken.objects.create(token_id=row.pk)
    for raw in (before, after):
        with pytest.raises(Denied):
            sessions.refresh(raw, now=NOW)
    sessions.authenticate(access_token(user), now=NOW)


@pytest.mark.usefixtures("opened")
def test_nothing_is_accepted_that_was_issued_after_the_cut_over(user: Any) -> None:
    cut_over = Switch.objects.get().cut_over_at
    sessions.refresh(refresh_token(user, issued=cut_over), now=cut_over)
    with pytest.raises(WrongClaims):
        sessions.refresh(
            refresh_token(user, issued=cut_over + timedelta(seconds=1)), now=cut_over + MINUTE
        )


def test_the_door_closes_by_itself_and_by_command(user: Any) -> None:
    adopt()
    switch = Switch.objects.get()
    assert switch.closes_at == switch.cut_over_at + 14 * DAY
    raw = signed(payload(user.pk, exp=int((NOW + 90 * DAY).timestamp())))
    sessions.verify(raw, now=switch.closes_at - timedelta(seconds=1))
    with pytest.raises(WithoutKeyID):
        sessions.verify(raw, now=switch.closes_at)
    # The session of the user's unknown tokens, and that of this one.
    assert status.close(now=NOW) == 2
    with pytest.raises(WithoutKeyID):
        sessions.verify(raw, now=NOW)


@pytest.mark.usefixtures("opened")
def test_a_changed_password_is_known_from_the_claim_where_the_former_site_asked(
    user: Any, settings: Any
) -> None:
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "CHECK_REVOKE_TOKEN": True}
    from rest_framework_simplejwt.utils import get_md5_hash_password

    raw = refresh_token(user, hash_password=get_md5_hash_password(user.password))
    sessions.refresh(raw, now=NOW)
    for digest in (None, "another"):
        with pytest.raises(PasswordChanged):
            sessions.refresh(refresh_token(user, hash_password=digest), now=NOW)


def test_the_interface_for_code_that_knows_where_its_token_comes_from(
    user: Any, opened: Switch
) -> None:
    raw = refresh_token(user)
    token = takeover.read_claims(raw, now=NOW)
    assert token.user_id == str(user.pk)
    assert takeover.adopt_refresh(raw, now=NOW).session.pk == token.sid


@pytest.mark.usefixtures("opened")
def test_a_caller_who_waited_for_the_first_one_gets_the_same_session(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, lock, first = refresh_token(user), sessions.lock, []

    def lock_later(locked: Any) -> Any:
        monkeypatch.setattr(sessions, "lock", lock)
        first.append(sessions.refresh(raw, now=NOW))
        return lock(locked)

    monkeypatch.setattr(sessions, "lock", lock_later)
    assert sessions.refresh(raw, now=NOW).raw_refresh == first[0].raw_refresh
    assert Session.objects.filter(kind=SessionKind.PAIR).count() == 1


def test_no_row_shows_a_token(user: Any, opened: Switch, their_tables: None) -> None:
    raw = refresh_token(user)
    row = outstanding(raw)
    blacklisted = BlacklistedToken.objects.create(token_id=row.pk)
    sessions.refresh(raw, now=NOW)
    shown = " ".join(map(str, (opened, row, blacklisted, AdoptedToken.objects.get())))
    assert raw not in shown
    assert not any(part in shown for part in raw.split("."))

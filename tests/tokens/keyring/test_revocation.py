"""Revoking the previous keys: every older token is refused, and stays refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.tokens.keyring.rotating import kid_of, rotate
from tokens import denylist, keyring, sessions
from tokens.errors import Denied, TokenError, UnknownKey
from tokens.keyring import ring
from tokens.models import DeniedToken, Session, SigningKey
from tokens.sessions import pairs as token_pairs
from tokens.sessions import refreshing

pytestmark = pytest.mark.django_db


def test_revoking_the_previous_keys_refuses_every_older_token(user: Any) -> None:
    pairs = []
    for _ in range(3):
        pairs.append(sessions.start(user))
        rotate()
    former = set(SigningKey.objects.values_list("kid", flat=True))
    rotate(revoke_previous=True)
    for pair in pairs:
        for attempt in (
            lambda raw=pair.raw_access: sessions.authenticate(raw),
            lambda raw=pair.raw_refresh: sessions.refresh(raw),
        ):
            with pytest.raises(UnknownKey):
                attempt()
    # Also the key that was published ahead: it may have leaked with the others.
    revoked = SigningKey.objects.filter(state="revoked")
    assert set(revoked.values_list("kid", flat=True)) == former
    assert not former & {kid_of("signing"), kid_of("next")}
    assert set(revoked.values_list("sealed", flat=True)) == {""}
    sessions.authenticate(sessions.start(user).raw_access)


def test_a_process_that_has_not_noticed_refuses_a_revoked_key_by_its_one_query(user: Any) -> None:
    pair = sessions.start(user)
    sessions.authenticate(pair.raw_access)
    stale = ring._caches.of(SigningKey).ring
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    ring._caches.of(SigningKey).ring = stale
    with pytest.raises(Denied):
        sessions.authenticate(pair.raw_access)
    with pytest.raises(Denied):
        sessions.refresh(pair.raw_refresh)


def test_sessions_of_a_revoked_key_are_not_live(user: Any) -> None:
    sessions.start(user)
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    sessions.start(user)
    live = Session.objects.live(now=datetime.now(UTC))
    assert [session.kid for session in live] == [kid_of("signing")]


def test_the_denylist_names_who_revoked_a_key_and_why(user: Any) -> None:
    kid = kid_of("signing")
    keyring.rotate(keyring.plan_rotation(revoke_previous=True), by=user, reason="laptop stolen")
    denied = DeniedToken.objects.get(value=kid)
    assert (denied.kind, denied.denied_by, denied.reason) == ("kid", user, "laptop stolen")


def test_a_forged_token_of_a_revoked_key_stays_refused_after_its_denial_is_pruned(
    user: Any,
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=400)
    pair = sessions.start(user)
    sessions.authenticate(pair.raw_access)
    keyring.rotate(keyring.plan_rotation(revoke_previous=True, now=long_ago), now=long_ago)
    DeniedToken.objects.all().delete()
    with pytest.raises(TokenError):
        sessions.authenticate(pair.raw_access)


def test_a_refresh_that_was_under_way_does_not_outlive_the_revocation_of_its_key(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is revoked after the query, and the successor is signed by the next key."""
    pair = sessions.start(user)
    signing_key = keyring.signing_key

    def after_the_query(**how: Any) -> Any:
        rotate(revoke_previous=True)
        return signing_key(**how)

    monkeypatch.setattr(keyring, "signing_key", after_the_query)
    with pytest.raises(Denied):
        sessions.refresh(pair.raw_refresh)
    assert Session.objects.get().ended_at is not None


def test_a_pair_that_was_signed_when_its_key_was_revoked_is_worth_nothing(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = sessions.start(user)
    write = refreshing._rotate

    def after_signing(session: Session, *read: Any) -> bool:
        rotate(revoke_previous=True)
        return write(session, *read)

    monkeypatch.setattr(refreshing, "_rotate", after_signing)
    successor = sessions.refresh(pair.raw_refresh)
    for verb, raw in (
        (sessions.authenticate, successor.raw_access),
        (sessions.refresh, successor.raw_refresh),
        (sessions.refresh, pair.raw_refresh),
    ):
        with pytest.raises(TokenError):
            verb(raw)


def test_a_lost_answer_under_a_new_key_is_not_given_to_a_token_of_a_revoked_one(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former key is revoked between the query and the answer."""
    pair = sessions.start(user)
    rotate()
    sessions.refresh(pair.raw_refresh)
    (former,) = SigningKey.objects.filter(state="retired").values_list("kid", flat=True)
    issue = token_pairs.issue

    def after_the_query(session: Session, **how: Any) -> Any:
        until = timezone.now() + timedelta(days=20)
        denylist.deny([(former, None)], kind=DeniedToken.Kind.KEY, reason="leaked", until=until)
        return issue(session, **how)

    monkeypatch.setattr(token_pairs, "issue", after_the_query)
    with pytest.raises(Denied):
        sessions.refresh(pair.raw_refresh)
    assert Session.objects.get().ended_at is not None

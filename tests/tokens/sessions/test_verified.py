"""What this process may remember of a signature, and what it may not conclude from that."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test.utils import override_settings
from django.utils import timezone

from tokens import keyring, sessions
from tokens.errors import (
    BadSignature,
    Denied,
    Expired,
    Malformed,
    SessionEnded,
    UnknownKey,
    UserInactive,
    WrongClaims,
    WrongType,
)
from tokens.jose import read_signed
from tokens.keyring.sealing import Sealer
from tokens.models import EndReason, SigningKey
from tokens.secret import Secret
from tokens.sessions import TokenPair, verified

NOW = timezone.now()


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user, now=NOW)


def end(pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.REVOKED)


def deny_token(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_access, now=NOW)


def test_a_signature_is_verified_once(pair: TokenPair, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions.authenticate(pair.raw_access, now=NOW)
    monkeypatch.setattr("tokens.sessions.verified.read_signed", None)
    sessions.authenticate(pair.raw_access, now=NOW)


def late(pair: TokenPair) -> None:
    sessions.authenticate(pair.raw_access, now=pair.access_expires_at + timedelta(seconds=10))


def under_a_revoked_key(pair: TokenPair) -> None:
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    sessions.authenticate(pair.raw_access, now=NOW)


def after_the_key_stopped_verifying(pair: TokenPair) -> None:
    SigningKey.objects.update(state="retired", retired_at=NOW, verifies_until=NOW)
    keyring.forget()
    sessions.authenticate(pair.raw_access, now=NOW)


def after_its_own_denial(pair: TokenPair) -> None:
    deny_token(pair)
    sessions.authenticate(pair.raw_access, now=NOW)


def after_the_end_of_its_session(pair: TokenPair) -> None:
    end(pair)
    sessions.authenticate(pair.raw_access, now=NOW)


def after_its_user_was_deactivated(pair: TokenPair) -> None:
    get_user_model().objects.update(is_active=False)
    sessions.authenticate(pair.raw_access, now=NOW)


def as_a_refresh_token(pair: TokenPair) -> None:
    sessions.refresh(pair.raw_access, now=NOW)


def at_another_issuer(pair: TokenPair) -> None:
    with override_settings(TOKENS_ISSUER="elsewhere"):
        sessions.authenticate(pair.raw_access, now=NOW)


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (late, Expired),
        (under_a_revoked_key, UnknownKey),
        (after_the_key_stopped_verifying, UnknownKey),
        (after_its_own_denial, Denied),
        (after_the_end_of_its_session, SessionEnded),
        (after_its_user_was_deactivated, UserInactive),
        (as_a_refresh_token, WrongType),
        (at_another_issuer, WrongClaims),
    ],
)
def test_a_remembered_signature_admits_nothing_by_itself(
    transactional_db: None, pair: TokenPair, use: Any, error: Any
) -> None:
    sessions.authenticate(pair.raw_access, now=NOW)
    assert len(verified._cache) == 1
    with pytest.raises(error):
        use(pair)


def test_another_key_of_the_same_name_did_not_sign_what_is_remembered(pair: TokenPair) -> None:
    sessions.authenticate(pair.raw_access, now=NOW)
    row = keyring.rotation.make_row("HS256", state=SigningKey.State.NEXT, now=NOW)
    other = Sealer().open(row) | {"kid": pair.session.kid}
    SigningKey.objects.filter(kid=pair.session.kid).update(sealed=Sealer().seal(other))
    keyring.forget()
    with pytest.raises(BadSignature):
        sessions.authenticate(pair.raw_access, now=NOW)


def test_a_resealed_key_goes_on_verifying_what_is_remembered(pair: TokenPair) -> None:
    sessions.authenticate(pair.raw_access, now=NOW)
    keyring.forget()
    sessions.authenticate(pair.raw_access, now=NOW)


@pytest.mark.parametrize("raw_token", ["", "a.b.c", "é" * 20, "\udc80.a.b", "a" * 9000])
def test_what_is_no_token_is_refused_and_not_remembered(raw_token: str) -> None:
    with pytest.raises(Malformed):
        verified.read(raw_token, now=NOW)
    assert len(verified._cache) == 0


def test_a_forged_or_a_refresh_token_is_not_remembered(pair: TokenPair) -> None:
    verified.read(pair.raw_refresh, now=NOW)
    head, _, signature = pair.raw_access.rpartition(".")
    with pytest.raises(BadSignature):
        verified.read(f"{head}.{'A' * len(signature)}", now=NOW)
    assert len(verified._cache) == 0


def test_no_more_signatures_are_kept_than_the_capacity_and_the_used_ones_stay(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verified, "CAPACITY", 3)
    tokens = [sessions.start(user, now=NOW).raw_access for _ in range(5)]
    for raw_access in tokens:
        verified.read(tokens[0], now=NOW)
        verified.read(raw_access, now=NOW)
        assert len(verified._cache) <= 3
    read: list[Secret[str]] = []

    def noted(raw: Secret[str], **how: Any) -> Any:
        read.append(raw)
        return read_signed(raw, **how)

    monkeypatch.setattr(verified, "read_signed", noted)
    for raw_access in (tokens[0], tokens[3], tokens[4], tokens[1]):
        verified.read(raw_access, now=NOW)
    assert [raw.reveal() for raw in read] == [tokens[1]]


def test_threads_share_the_memory(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "CAPACITY", 5)
    tokens = {sessions.start(user, now=NOW).raw_access for _ in range(10)}
    expected = {raw_access: verified.read(raw_access, now=NOW) for raw_access in tokens}

    def read_all(_: int) -> bool:
        return all(verified.read(raw, now=NOW) == expected[raw] for raw in tokens)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read_all, range(200)))
    assert len(verified._cache) <= 5


def test_what_is_remembered_shows_no_token_and_no_key(pair: TokenPair) -> None:
    verified.read(pair.raw_access, now=NOW)
    (entry,) = verified._cache._entries.items()
    assert pair.raw_access not in repr(entry)
    assert "Key" not in repr(entry)

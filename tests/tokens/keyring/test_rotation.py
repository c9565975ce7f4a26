"""Rotation: which key signs, which keys verify, which are refused, and that no session ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.grace import end_grace
from tests.tokens.keyring.rotating import kid_of, rotate
from tokens import keyring, sessions
from tokens.conf import conf
from tokens.errors import KeyRingError, UnknownKey
from tokens.keyring import RotationConflict, ring, rotation
from tokens.models import Session, SigningKey

MOMENT = timedelta(seconds=ring.SIGNER_MAX_AGE)
OTHER_SECRET = "another-token-secret-that-is-long-enough-0123456789"

pytestmark = pytest.mark.django_db


def test_the_published_key_signs_and_another_is_published() -> None:
    former, published = kid_of("signing"), kid_of("next")
    rotate()
    assert keyring.signing_key().kid == published == kid_of("signing")
    assert kid_of("next") not in {former, published}
    assert kid_of("retired") == former


def test_no_client_notices_a_rotation(user: Any) -> None:
    pair = sessions.start(user)
    for _ in range(3):
        rotate()
        sessions.authenticate(pair.raw_access)
        end_grace(pair)
        pair = sessions.refresh(pair.raw_refresh)
    assert Session.objects.get().kid == keyring.signing_key().kid
    assert Session.objects.get().ended_at is None


def test_the_former_key_verifies_until_its_last_token_has_expired(user: Any, settings: Any) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    pair = sessions.start(user, now=now)
    former = keyring.signing_key().kid
    plan = keyring.plan_rotation(now=now)
    # As if the operator had considered the plan for an hour, while the key went on signing.
    keyring.rotate(plan, now=now + timedelta(hours=1))
    last_token_expires = now + timedelta(hours=1) + MOMENT + settings.TOKENS_REFRESH_LIFETIME
    until = SigningKey.objects.get(kid=former).verifies_until
    assert until == last_token_expires + conf.TOKENS_LEEWAY
    sessions.refresh(pair.raw_refresh, now=pair.refresh_expires_at)
    with pytest.raises(UnknownKey):
        keyring.verification_key(former, now=until)


def test_a_longer_lifetime_is_written_down_before_a_token_has_it(user: Any, settings: Any) -> None:
    former = keyring.signing_key().kid
    shorter = settings.TOKENS_REFRESH_LIFETIME
    settings.TOKENS_REFRESH_LIFETIME = shorter + timedelta(days=20)
    pair = sessions.start(user)
    settings.TOKENS_REFRESH_LIFETIME = shorter
    rotate()
    until = SigningKey.objects.get(kid=former).verifies_until
    assert until is not None
    assert until >= pair.refresh_expires_at + conf.TOKENS_LEEWAY


def test_a_key_that_was_just_rotated_away_signs_no_longer_life_than_it_waited_for(
    user: Any, settings: Any
) -> None:
    """Another process rotates within the second in which this one does not read the ring again."""
    former = keyring.signing_key().kid
    before = ring._caches.of(SigningKey).ring
    rotate()
    ring._caches.of(SigningKey).ring = before
    settings.TOKENS_REFRESH_LIFETIME += timedelta(days=20)
    pair = sessions.start(user)
    assert pair.session.kid != former
    assert SigningKey.objects.get(state="signing").longest_life == settings.TOKENS_REFRESH_LIFETIME


def test_tokens_from_before_a_shorter_lifetime_still_count(user: Any, settings: Any) -> None:
    pair = sessions.start(user)
    former = keyring.signing_key().kid
    settings.TOKENS_REFRESH_LIFETIME = timedelta(hours=1)
    rotate()
    until = SigningKey.objects.get(kid=former).verifies_until
    assert until is not None
    assert until >= pair.refresh_expires_at + conf.TOKENS_LEEWAY
    sessions.refresh(pair.raw_refresh, now=pair.refresh_expires_at - timedelta(seconds=1))


@pytest.mark.parametrize("algorithm", keyring.ALGORITHMS)
def test_a_change_of_algorithm_signs_at_once_and_keeps_the_old_tokens(
    user: Any, algorithm: str
) -> None:
    rotate(algorithm="HS512" if algorithm == "HS256" else "HS256")
    old = sessions.start(user)
    rotate(algorithm=algorithm)
    new = sessions.start(user)
    assert keyring.signing_key().algorithm == algorithm
    assert SigningKey.objects.get(state="next").algorithm == algorithm
    for pair in (old, new):
        sessions.authenticate(pair.raw_access)
        sessions.refresh(pair.raw_refresh)


def test_a_plain_rotation_keeps_the_algorithm() -> None:
    rotate(algorithm="ES256")
    published = kid_of("next")
    rotate()
    assert kid_of("signing") == published
    assert SigningKey.objects.get(state="next").algorithm == "ES256"


def test_a_key_can_be_published_ahead_of_a_change_of_algorithm() -> None:
    former, replaced = kid_of("signing"), kid_of("next")
    kid = keyring.publish("EdDSA")
    assert (kid_of("signing"), kid_of("next")) == (former, kid)
    assert not SigningKey.objects.filter(kid=replaced).exists()
    rotate()
    assert keyring.signing_key().kid == kid
    rotate(algorithm="EdDSA")


def test_a_lost_published_key_is_replaced() -> None:
    SigningKey.objects.filter(state="next").delete()
    rotate()
    assert kid_of("signing") != kid_of("next")


def test_a_key_that_is_gone_is_forgotten_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("tokens.clock.elapsed", lambda: clock[0])
    keyring.forget()
    kid = keyring.signing_key().kid
    now = datetime.now(UTC)
    SigningKey.objects.filter(kid=kid).update(state="retired", retired_at=now, verifies_until=now)
    clock[0] += ring.RING_MAX_AGE
    assert keyring.verification_key(kid, now=now).kid == kid
    clock[0] += 0.1
    with pytest.raises(UnknownKey):
        keyring.verification_key(kid, now=now)


def test_a_lost_answer_is_given_again_under_the_key_that_signed_it(user: Any) -> None:
    first = sessions.start(user)
    second = sessions.refresh(first.raw_refresh)
    rotate()
    again = sessions.refresh(first.raw_refresh)
    assert again.raw_refresh == second.raw_refresh
    sessions.authenticate(again.raw_access)


def test_a_plan_that_was_overtaken_changes_nothing() -> None:
    plan = keyring.plan_rotation()
    rotate()
    before = list(SigningKey.objects.order_by("kid").values())
    with pytest.raises(RotationConflict):
        keyring.rotate(plan, now=datetime.now(UTC) + timedelta(minutes=1))
    assert list(SigningKey.objects.order_by("kid").values()) == before


@pytest.mark.parametrize("how", [{}, {"algorithm": "ES256"}, {"revoke_previous": True}])
def test_a_rotation_right_after_another_is_refused(how: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    keyring.rotate(keyring.plan_rotation(), now=now)
    plan = keyring.plan_rotation(**how)
    with pytest.raises(RotationConflict):
        keyring.rotate(plan, now=now + MOMENT)
    keyring.rotate(plan, now=now + MOMENT + timedelta(milliseconds=1))


def test_a_rotation_whose_clock_was_far_ahead_does_not_forbid_the_next(user: Any) -> None:
    keyring.rotate(keyring.plan_rotation(), now=datetime.now(UTC) + timedelta(days=1))
    keyring.rotate(keyring.plan_rotation())


def test_an_empty_ring_cannot_rotate_and_says_what_to_do() -> None:
    SigningKey.objects.all().delete()
    with pytest.raises(KeyRingError, match="No signing key exists") as error:
        keyring.plan_rotation()
    assert "manage.py migrate" in error.value.hint


def test_resealing_makes_the_former_secret_unnecessary(user: Any, settings: Any) -> None:
    pair = sessions.start(user)
    rotate()
    settings.TOKENS_SECRET_FALLBACKS = [settings.TOKENS_SECRET]
    settings.TOKENS_SECRET = OTHER_SECRET
    assert not keyring.unneeded_fallbacks()
    assert set(keyring.reseal(dry_run=True)) == set(keyring.reseal())
    assert keyring.reseal() == []
    settings.TOKENS_SECRET_FALLBACKS = []
    keyring.forget()
    sessions.refresh(pair.raw_refresh)


def test_resealing_without_the_former_secret_changes_nothing(settings: Any) -> None:
    before = list(SigningKey.objects.order_by("kid").values())
    settings.TOKENS_SECRET = OTHER_SECRET
    with pytest.raises(KeyRingError, match="cannot be decrypted") as error:
        keyring.reseal()
    assert "TOKENS_SECRET_FALLBACKS" in error.value.hint
    assert list(SigningKey.objects.order_by("kid").values()) == before


def test_keys_go_when_their_time_is_over_and_not_before(settings: Any) -> None:
    now = datetime.now(UTC)
    retired, revoked = kid_of("signing"), kid_of("next")
    keyring.rotate(keyring.plan_rotation(now=now), now=now)
    SigningKey.objects.filter(kid=revoked).update(
        state="retired", retired_at=now, verifies_until=now
    )
    SigningKey.objects.filter(kid=revoked).update(state="revoked", sealed="")
    end = SigningKey.objects.get(kid=retired).verifies_until
    assert end is not None
    forgotten = now + settings.TOKENS_REFRESH_LIFETIME
    second = timedelta(seconds=1)
    assert keyring.prune(now=min(end, forgotten) - second) == 0
    assert keyring.prune(now=max(end, forgotten)) == 2
    assert set(SigningKey.objects.values_list("state", flat=True)) == {"next"}


def test_a_copy_of_the_ring_is_as_old_as_the_beginning_of_its_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_rows, clock = ring._rows, [1000.0]
    monkeypatch.setattr("tokens.clock.elapsed", lambda: clock[0])

    def slowly() -> list[SigningKey]:
        rows = read_rows()
        clock[0] += 5
        return rows

    monkeypatch.setattr(ring, "_rows", slowly)
    keyring.forget()
    before = keyring.signing_key().kid
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(ring, "forget", lambda: None)
        rotate()
    assert keyring.signing_key().kid == kid_of("signing") != before


@pytest.mark.parametrize(
    "change", [rotate, lambda: keyring.publish("HS256")], ids=["rotate", "publish"]
)
def test_a_key_that_another_process_inserted_meanwhile_is_a_conflict(
    change: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list(SigningKey.objects.order_by("kid").values_list("kid", "state"))
    make_row = rotation.make_row

    def with_a_kid_in_use(*args: Any, **how: Any) -> SigningKey:
        row = make_row(*args, **how)
        row.kid = kid_of("signing")
        return row

    monkeypatch.setattr(rotation, "make_row", with_a_kid_in_use)
    with pytest.raises(RotationConflict):
        change()
    assert list(SigningKey.objects.order_by("kid").values_list("kid", "state")) == before

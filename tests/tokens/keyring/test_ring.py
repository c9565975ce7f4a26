"""The key ring: sealed rows, a copy in each process, and a bounded cost of unknown kids."""

import base64
import dataclasses
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, router, transaction
from django.db.migrations.loader import MigrationLoader
from pytest_django import DjangoAssertNumQueries

from tokens import keyring
from tokens.errors import KeyRingError, UnknownKey, with_hint
from tokens.jose import TokenType
from tokens.keyring import receivers, ring
from tokens.keyring.rotation import make_row
from tokens.models import SigningKey

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OTHER_SECRET = "another-token-secret-that-is-long-enough-0123456789"

pytestmark = pytest.mark.django_db


def test_migrating_made_a_signing_key_and_its_successor() -> None:
    states = sorted(SigningKey.objects.values_list("state", flat=True))
    assert states == ["next", "signing"]
    assert keyring.ensure() is False
    assert SigningKey.objects.count() == 2


def test_migrating_back_to_zero_makes_no_key() -> None:
    SigningKey.objects.all().delete()
    loader = MigrationLoader(connection)
    without_tokens = loader.project_state(("accounts", "0001_initial")).apps
    receivers.after_migrate(None, "default", apps=without_tokens)
    assert not SigningKey.objects.exists()
    receivers.after_migrate(None, "default", apps=loader.project_state().apps)
    assert SigningKey.objects.exists()


def test_a_migration_of_a_database_without_the_tables_makes_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    SigningKey.objects.all().delete()
    monkeypatch.setattr(router, "allow_migrate_model", lambda alias, model: alias != "default")
    receivers.after_migrate(None, "default")
    assert not SigningKey.objects.exists()


def test_an_emptied_database_gets_keys_again() -> None:
    SigningKey.objects.all().delete()
    receivers.after_migrate(None, "default")
    assert SigningKey.objects.exists()


@pytest.mark.parametrize(("algorithm", "length"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_the_first_keys_are_as_long_as_their_hash(
    settings: Any, algorithm: str, length: int
) -> None:
    SigningKey.objects.all().delete()
    settings.TOKENS_ALGORITHM = algorithm
    assert keyring.ensure() is True
    key = keyring.signing_key()
    assert key.algorithm == algorithm
    assert len(key.material) == length


def test_when_another_process_made_the_first_keys_they_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = set(SigningKey.objects.values_list("kid", flat=True))
    # As this process saw the table a moment before the other one committed.
    monkeypatch.setattr(type(SigningKey.objects.all()), "exists", lambda self: False)
    assert keyring.ensure() is False
    assert set(SigningKey.objects.values_list("kid", flat=True)) == before


def test_a_stolen_table_and_a_repr_hold_no_key() -> None:
    key = keyring.signing_key()
    stored = str(list(SigningKey.objects.values()))
    for form in (
        key.material.hex(),
        base64.b64encode(key.material).decode().rstrip("="),
        base64.urlsafe_b64encode(key.material).decode().rstrip("="),
        repr(key.material),
    ):
        assert form not in stored
        assert form not in repr(key)


def test_another_secret_opens_nothing_and_says_what_to_do(settings: Any) -> None:
    settings.TOKENS_SECRET = OTHER_SECRET
    with pytest.raises(KeyRingError, match="cannot be decrypted with TOKENS_SECRET") as error:
        keyring.check()
    assert "add that secret to TOKENS_SECRET_FALLBACKS" in error.value.hint
    assert OTHER_SECRET not in with_hint(error.value)


def test_a_former_secret_still_opens_what_it_sealed(settings: Any) -> None:
    settings.TOKENS_SECRET_FALLBACKS = [settings.TOKENS_SECRET]
    settings.TOKENS_SECRET = OTHER_SECRET
    keyring.check()


def test_without_a_secret_the_ring_says_so(settings: Any) -> None:
    settings.TOKENS_SECRET = ""
    with pytest.raises(KeyRingError, match="TOKENS_SECRET is not set") as error:
        keyring.signing_key()
    assert error.value.hint.startswith("Set it to 32 or more random characters")


def test_an_empty_ring_says_what_to_do() -> None:
    SigningKey.objects.all().delete()
    with pytest.raises(KeyRingError, match="No signing key exists") as error:
        keyring.signing_key()
    assert str(error.value) == "No signing key exists."
    assert error.value.hint == 'Run "manage.py migrate" to create the first.'
    assert error.value.hint in "".join(traceback.format_exception(error.value))


def test_a_sealed_key_does_not_open_in_another_rows_place() -> None:
    signing, following = SigningKey.objects.order_by("-state")
    SigningKey.objects.filter(pk=signing.pk).update(sealed=following.sealed)
    with pytest.raises(KeyRingError, match="tampered") as error:
        keyring.signing_key()
    assert "Find out who can write to the database" in error.value.hint


def test_a_key_verifies_until_its_end_and_not_longer() -> None:
    kid = keyring.signing_key().kid
    SigningKey.objects.filter(kid=kid).update(state="retired", retired_at=NOW, verifies_until=NOW)
    keyring.forget()
    assert keyring.verification_key(kid, now=NOW - timedelta(seconds=1)).kid == kid
    with pytest.raises(UnknownKey):
        keyring.verification_key(kid, now=NOW)


def test_a_key_that_another_process_made_is_found_at_once() -> None:
    keyring.signing_key()
    made = make_row("HS256", state=SigningKey.State.RETIRED, now=NOW)
    made.retired_at, made.verifies_until = NOW, NOW + timedelta(days=1)
    made.save(force_insert=True)
    assert keyring.verification_key(made.kid, now=NOW).kid == made.kid


def test_strangers_kids_cost_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    keyring.signing_key()
    with django_assert_max_num_queries(ring.REREADS_PER_SECOND + 5):
        for number in range(1000):
            with pytest.raises(UnknownKey):
                keyring.verification_key(f"stranger-{number}", now=NOW)


def test_the_ration_of_rereads_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("tokens.clock.elapsed", lambda: clock[0])
    process = ring._Cache()
    granted = sum(process.allow_reread() for _ in range(100))
    assert granted == ring.REREADS_PER_SECOND
    clock[0] += 0.5
    assert sum(process.allow_reread() for _ in range(100)) == ring.REREADS_PER_SECOND // 2
    clock[0] += 3600
    assert sum(process.allow_reread() for _ in range(100)) == ring.REREADS_PER_SECOND


def test_a_signer_is_read_again_when_its_copy_is_old(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        keyring.signing_key()
        keyring.signing_key()
    copy = ring._caches.of(SigningKey).ring
    assert copy is not None
    old = copy.read_at - ring.SIGNER_MAX_AGE - 0.1
    ring._caches.of(SigningKey).ring = dataclasses.replace(copy, read_at=old)
    with django_assert_num_queries(1):
        keyring.signing_key()


@pytest.mark.parametrize("state", ["signing", "next"])
def test_the_database_lets_one_key_sign_and_one_be_next(state: str) -> None:
    row = make_row("HS256", state=SigningKey.State(state), now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_retired_key_without_an_end_is_refused_by_the_database() -> None:
    row = make_row("HS256", state=SigningKey.State.RETIRED, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_key_of_refresh_tokens_is_rotated_and_revoked_with_the_key_that_it_is_derived_from(
    settings: Any,
) -> None:
    SigningKey.objects.all().delete()
    settings.TOKENS_ALGORITHM = "ES256"
    keyring.ensure()
    now = datetime.now(UTC)
    kid = keyring.signing_key().kid
    key = keyring.verification_key(kid, TokenType.REFRESH, now=now)
    assert (key.kid, key.algorithm) == (kid, "HS256")
    assert keyring.verification_key(kid, now=now).algorithm == "ES256"
    assert keyring.verification_key(kid, TokenType.REFRESH, now=now) is key  # Derived once.
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    with pytest.raises(UnknownKey):
        keyring.verification_key(kid, TokenType.REFRESH, now=now)

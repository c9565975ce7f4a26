"""What is wrong with TOKENS_SECRET and the signing keys is reported."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.tokens.checks.conftest import found
from tokens import keyring
from tokens.checks import check_signing_keys
from tokens.models import SigningKey

pytestmark = pytest.mark.django_db

NEW_SECRET = "the new secret, long enough, 0123456789"


def test_another_secret_than_the_rings_is_found_at_start(settings: Any) -> None:
    settings.TOKENS_SECRET = "not the one that sealed the ring, 0123456789"
    messages = found()
    assert list(messages) == ["tokens.E010"]
    assert messages["tokens.E010"].msg.endswith("cannot be decrypted with TOKENS_SECRET.")
    assert "add that secret to TOKENS_SECRET_FALLBACKS" in str(messages["tokens.E010"].hint)


def test_before_the_first_migration_the_ring_is_not_asked_for(monkeypatch: Any) -> None:
    def no_such_table() -> None:
        raise OperationalError("no such table: tokens_signingkey")

    monkeypatch.setattr(keyring, "check", no_such_table)
    assert found() == {}


WEAK = ["x", "a" * 40, "abcd" * 10, "django-insecure-" + "0123456789abcdef" * 3]


@pytest.mark.parametrize("weak", WEAK)
def test_a_secret_that_can_be_guessed_is_refused(settings: Any, weak: str) -> None:
    settings.TOKENS_SECRET_FALLBACKS = [settings.TOKENS_SECRET]
    settings.TOKENS_SECRET = weak
    (message,) = found().values()
    assert message.id == "tokens.E003"
    assert "--secret-lost" in str(message.hint)
    assert repr(weak) not in str(message)


@pytest.mark.parametrize("weak", WEAK)
def test_a_fallback_that_can_be_guessed_is_refused(settings: Any, weak: str) -> None:
    settings.TOKENS_SECRET_FALLBACKS = [settings.TOKENS_SECRET, weak]
    settings.TOKENS_SECRET = NEW_SECRET
    (message,) = found().values()
    assert message.id == "tokens.E016"
    assert message.msg.startswith("TOKENS_SECRET_FALLBACKS[1] ")
    assert "--secret-lost" in str(message.hint)
    assert repr(weak) not in str(message)


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS", "TOKENS_SECRET"])
def test_a_fallback_that_is_in_use_is_refused(settings: Any, name: str) -> None:
    another = "a secret that is in use elsewhere, 0123456789"
    former, settings.TOKENS_SECRET = settings.TOKENS_SECRET, NEW_SECRET
    setattr(settings, name, [another] if name.endswith("FALLBACKS") else another)
    settings.TOKENS_SECRET_FALLBACKS = [former, another]
    (message,) = found().values()
    assert message.id == "tokens.E017"
    assert another not in str(message)


@pytest.mark.parametrize(("days", "ids"), [(90, []), (91, ["tokens.W005"])])
def test_a_key_that_has_signed_for_too_long_is_noticed(days: int, ids: list[str]) -> None:
    SigningKey.objects.filter(state="signing").update(
        signs_since=timezone.now() - timedelta(days=days, minutes=-1)
    )
    assert list(found()) == ids


def test_a_fallback_that_no_key_needs_is_noticed(settings: Any) -> None:
    settings.TOKENS_SECRET_FALLBACKS = ["a former secret, long enough, 0123456789"]
    assert list(found()) == ["tokens.W006"]


def test_a_fallback_that_a_key_needs_is_not(settings: Any) -> None:
    settings.TOKENS_SECRET_FALLBACKS = [settings.TOKENS_SECRET]
    settings.TOKENS_SECRET = NEW_SECRET
    assert found() == {}


def test_a_ring_without_a_signing_key_has_none_that_is_too_old() -> None:
    SigningKey.objects.all().delete()
    keyring.forget()
    assert check_signing_keys() == []

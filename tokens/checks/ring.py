"""TOKENS_SECRET, and the signing keys."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError

from .. import clock, keyring
from ..conf import conf
from ..errors import KeyRingError
from ..models import SigningKey
from ..secret.strength import MINIMUM_LENGTH, weakness_of
from .wording import in_words


def check_secret(**kwargs: Any) -> list[CheckMessage]:
    """Report a secret that is missing, is SECRET_KEY as well, or is easy to guess."""
    secret = conf.TOKENS_SECRET
    if not secret:
        return [
            Error(
                "TOKENS_SECRET is not set, so the signing keys cannot be decrypted.",
                hint=f"Set it to {MINIMUM_LENGTH} or more random characters that nothing "
                "else uses.",
                id="tokens.E001",
            )
        ]
    messages: list[CheckMessage] = []
    if secret in {settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS}:
        messages.append(
            Error(
                "TOKENS_SECRET equals SECRET_KEY or one of SECRET_KEY_FALLBACKS, so a leak of one "
                "is a leak of both.",
                hint="Set it to a different value. If either may have leaked, run "
                '"manage.py rotate_secret" as well.',
                id="tokens.E002",
            )
        )
    if weakness := weakness_of(secret):
        messages.append(
            Error(
                f"TOKENS_SECRET {weakness}, so it can be guessed.",
                hint=f"Set it to {MINIMUM_LENGTH} or more random characters. If a database is in "
                'use already, run "manage.py rotate_secret --revoke-previous --secret-lost" with '
                "the new value: its keys may have been read.",
                id="tokens.E003",
            )
        )
    return messages


def check_secret_fallbacks(**kwargs: Any) -> list[CheckMessage]:
    """Report a fallback that is easy to guess, or that is in use as another secret."""
    messages: list[CheckMessage] = []
    fallbacks = conf.TOKENS_SECRET_FALLBACKS
    for index, fallback in enumerate(fallbacks):
        if weakness := weakness_of(fallback):
            messages.append(
                Error(
                    f"TOKENS_SECRET_FALLBACKS[{index}] {weakness}, so it can be guessed.",
                    hint="Remove it. If signing keys are still encrypted with it, anyone with a copy "
                    "of the database could have read them: run "
                    '"manage.py rotate_secret --revoke-previous --secret-lost", which replaces them '
                    "and signs out every user.",
                    id="tokens.E016",
                )
            )
    in_use = {conf.TOKENS_SECRET, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS}
    if not in_use.isdisjoint(fallbacks):
        messages.append(
            Error(
                "TOKENS_SECRET_FALLBACKS contains TOKENS_SECRET, SECRET_KEY or one of "
                "SECRET_KEY_FALLBACKS.",
                hint="Remove that value: the list is for former values of TOKENS_SECRET that nothing "
                "else uses. If signing keys are still encrypted with SECRET_KEY, change SECRET_KEY.",
                id="tokens.E017",
            )
        )
    return messages


def check_key_ring(**kwargs: Any) -> list[CheckMessage]:
    """Report keys that cannot be used, before the first user fails to sign in."""
    if not conf.TOKENS_SECRET:
        return []  # tokens.E001 reports it.
    try:
        keyring.check()
    except KeyRingError as error:
        return [Error(str(error), hint=error.hint or None, id="tokens.E010")]
    except DatabaseError:
        return []  # The tables do not exist yet, or no database answers: /readyz reports it.
    return []


def check_algorithm(**kwargs: Any) -> list[CheckMessage]:
    if conf.TOKENS_ALGORITHM in keyring.ALGORITHMS:
        return []
    return [
        Error(
            f"TOKENS_ALGORITHM is {conf.TOKENS_ALGORITHM!r}.",
            hint=f"Set it to one of {', '.join(keyring.ALGORITHMS)}.",
            id="tokens.E007",
        )
    ]


def check_signing_keys(**kwargs: Any) -> list[CheckMessage]:
    """
    Warn about a key that has signed for too long, and about fallbacks that no key needs.

    The longer a key signs, the more an undetected copy of it is worth to a thief.
    """
    messages: list[CheckMessage] = []
    try:
        signing = SigningKey.objects.filter(state=SigningKey.State.SIGNING).first()
        unneeded = bool(conf.TOKENS_SECRET_FALLBACKS) and keyring.unneeded_fallbacks()
    except (DatabaseError, KeyRingError):
        return []  # check_key_ring reports the second.
    if signing and signing.signs_since:
        age = clock.now() - signing.signs_since
        if age > conf.TOKENS_KEY_MAX_AGE:
            messages.append(
                Warning(
                    f"The signing key {signing.kid[:8]}… has signed for {age.days} days. "
                    f"TOKENS_KEY_MAX_AGE is {in_words(conf.TOKENS_KEY_MAX_AGE)}.",
                    hint='Run "manage.py rotate_secret". It signs out no user.',
                    id="tokens.W005",
                )
            )
    if unneeded:
        messages.append(
            Warning(
                "TOKENS_SECRET_FALLBACKS is set, and no signing key needs it.",
                hint="Empty it: a former secret that is kept can still leak.",
                id="tokens.W006",
            )
        )
    return messages

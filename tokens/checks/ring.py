"""The secret that seals the ring, and the keys in it."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError
from django.utils import timezone

from .. import keyring
from ..conf import conf
from ..errors import KeyRingError
from ..models import SigningKey

MINIMUM_SECRET_LENGTH = 32


def check_secret(**kwargs: Any) -> list[CheckMessage]:
    """One secret for two purposes makes one leak into two, and a short one can be guessed."""
    secret = conf.TOKENS_SECRET
    if not secret:
        return [
            Error(
                "TOKENS_SECRET is not set, so the signing keys cannot be opened.",
                hint="Set it to 32 or more random characters that nothing else uses.",
                id="tokens.E001",
            )
        ]
    messages: list[CheckMessage] = []
    if secret in {settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS}:
        messages.append(
            Error(
                "TOKENS_SECRET equals SECRET_KEY.",
                hint="Give it a value of its own, and run rotate_secret if either may have leaked.",
                id="tokens.E002",
            )
        )
    if len(secret) < MINIMUM_SECRET_LENGTH:
        messages.append(
            Error(
                f"TOKENS_SECRET has {len(secret)} characters.",
                hint=f"Set it to {MINIMUM_SECRET_LENGTH} or more random characters.",
                id="tokens.E003",
            )
        )
    return messages


def check_key_ring(**kwargs: Any) -> list[CheckMessage]:
    """A ring that does not open lets nobody in; found at start, it has not cost anything yet."""
    if not conf.TOKENS_SECRET:
        return []  # tokens.E001
    try:
        keyring.check()
    except KeyRingError as error:
        return [Error(str(error), hint=error.hint or None, id="tokens.E010")]
    except DatabaseError:
        return []  # Before the first migration, or without a database: /readyz tells.
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
    """The longer a key signs, the more a copy of it that nobody knows of is worth."""
    messages: list[CheckMessage] = []
    try:
        signing = SigningKey.objects.filter(state=SigningKey.State.SIGNING).first()
        unneeded = bool(conf.TOKENS_SECRET_FALLBACKS) and keyring.unneeded_fallbacks()
    except (DatabaseError, KeyRingError):
        return []  # check_key_ring tells of the second.
    if signing and signing.signs_since:
        age = timezone.now() - signing.signs_since
        if age > conf.TOKENS_KEY_MAX_AGE:
            messages.append(
                Warning(
                    f"The signing key {signing.kid[:8]}… has signed for {age.days} days.",
                    hint='Run "manage.py rotate_secret"; nobody is signed out. TOKENS_KEY_MAX_AGE '
                    f"is {conf.TOKENS_KEY_MAX_AGE.days} days.",
                    id="tokens.W005",
                )
            )
    if unneeded:
        messages.append(
            Warning(
                "TOKEN_SECRET_FALLBACKS is set, and no signing key needs it.",
                hint="Empty it: a former secret that is kept can still leak.",
                id="tokens.W006",
            )
        )
    return messages

"""The name in the credentials of an attempt, and what stands for it in tables and logs."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.crypto import salted_hmac

from ..secret import hides_locals

# What a backend may call the credentials that are no name, in addition to Django's own list of words
# (django.contrib.auth.SENSITIVE_CREDENTIALS).
SECRET_WORDS = ("pass", "secret", "token", "key", "code", "otp", "pin", "signature", "api")


def account_of(name: str) -> str:
    """
    Return the HMAC that stands for the account in tables and logs.

    The name itself is not stored, because users sometimes type a password into the name field.
    Spellings that some user model or database takes for the same name give the same HMAC.
    """
    normalised = get_user_model().normalize_username(name.strip())
    # Databases compare without case by UPPER or LOWER: for them, i with and without its dot are one.
    folded = normalised.upper().casefold().replace("i\u0307", "i")
    value = folded.encode("utf-8", "surrogatepass")
    return salted_hmac("tokens.sign_in", value, algorithm="sha256").hexdigest()[:32]


def account_or_none(name: str | None) -> str | None:
    return None if name is None else account_of(name)


def name_in(credentials: Mapping[str, Any]) -> str | None:
    """Return the name that a backend would look up first, None if there is none."""
    return next(iter(names_in(credentials)), None)


@hides_locals
def names_in(credentials: Mapping[str, Any]) -> list[str]:
    """
    Return each name that a backend may look up, under any key of the credentials.

    Those are the user model's own fields, or else the first text that is not called a secret.
    """
    user_model = get_user_model()
    # ModelBackend takes the name as "username" too, even if the field has another name, and looks it up first.
    keys = ("username", user_model.USERNAME_FIELD, user_model.get_email_field_name())
    found = [str(credentials[key]) for key in keys if credentials.get(key) is not None]
    if found:
        return list(dict.fromkeys(found))
    for key, value in credentials.items():
        is_secret = any(word in key.lower() for word in SECRET_WORDS)
        if isinstance(value, str | int) and not isinstance(value, bool) and not is_secret:
            return [str(value)]
    return []

"""Names that a person typed, and what the user model's USERNAME_FIELD makes of them."""

import unicodedata
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models


def username_field() -> Any:
    """Return the USERNAME_FIELD, or the field that it points to if it is a foreign key."""
    user_model = get_user_model()
    field: Any = user_model._meta.get_field(user_model.USERNAME_FIELD)
    while field.remote_field:
        field = field.target_field
    return field


def is_text(field: Any) -> bool:
    return isinstance(field, models.CharField | models.TextField)


def normalise_username(name: str) -> str:
    """
    Return the name in the form in which Django's forms and managers store it (NFKC).

    Keyboards and systems write the same letters with different code points. As in Django's
    UsernameField, a name that is too long for the field is returned as it is: the work grows with
    the length.
    """
    max_length = max_username_length()
    if max_length is not None and len(name) > max_length:
        return name
    return unicodedata.normalize("NFKC", name)


def max_username_length() -> int | None:
    """Return how many characters a name has at most. A UUID has more spellings than one length."""
    field = username_field()
    return field.max_length if is_text(field) else None


def username_from(text: str) -> Any:
    """Return ``text`` as a value of the USERNAME_FIELD, or None if the field cannot hold it."""
    return value_from(text, username_field())


def value_from(text: str, field: Any) -> Any:
    """
    Return ``text`` as a value of the field, or None if the field cannot hold it.

    A query with such a text raises an error: "abc" as a number, or a number that is too large.
    """
    try:
        text.encode()  # A lone surrogate has no encoding.
        value = field.to_python(text)
        if not is_text(field):
            field.run_validators(value)
    except (ValidationError, UnicodeEncodeError):
        return None
    return None if "\0" in text else value

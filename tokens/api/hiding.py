"""
Bodies and answers with tokens and passwords in them, which no report of an error may show.

A report has the request's body, the local variables of DRF's frames, and those of a renderer that
fails.
"""

from copy import copy
from typing import Any, Self

from django.http import QueryDict
from rest_framework.fields import empty
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from ..secret import Secret, hidden_form, hide, hides_locals

# Hidden in every body: clients also send them to a view that takes another one.
NAMES = frozenset(
    {
        "access",
        "access_token",
        "current_password",
        "new_password",
        "password",
        "refresh",
        "refresh_token",
        "token",
    }
)


class SecretField(CharField):
    """Text whose validated value is a Secret, unless it is empty."""

    is_secret = True  # For templates, which do not show again what was typed.

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators = [
            _ProhibitSurrogates() if isinstance(one, ProhibitSurrogateCharactersValidator) else one
            for one in self.validators
        ]

    def __deepcopy__(self, memo: Any) -> Self:
        """
        Return a copy for one request's serializer, which only binds it.

        DRF constructs a new field instead, which takes ten times as long.
        """
        return copy(self)

    def run_validation(self, data: Any = empty) -> Any:
        value = super().run_validation(data.reveal() if isinstance(data, Secret) else data)
        return hide(value) if value else value


class _ProhibitSurrogates(ProhibitSurrogateCharactersValidator):
    """DRF's, which goes through the text in Python: 0.05 s for two megabytes of junk."""

    def __call__(self, value: Any) -> None:
        if not str(value).isascii():
            super().__call__(value)


class SecretRequest(Request):
    """
    A request whose ``data`` and ``POST`` have a Secret for each name that its view hides.

    Django's POST becomes the same, as DRF does it for every form.
    """

    def _parse(self) -> tuple[Any, Any]:
        data, files = super()._parse()  # type: ignore[misc]  # missing in the stubs
        return _hidden(data, self.parser_context["view"].secret_names()), files


class SecretResponse(Response):
    """An answer whose data is not shown if the renderer fails."""

    @property
    @hides_locals
    def rendered_content(self) -> Any:
        return super().rendered_content


def secret_names(serializer_class: Any) -> frozenset[str]:
    """Return the names to hide in a body for this serializer: NAMES, except its fields of other types."""
    fields = getattr(serializer_class, "_declared_fields", {})
    secret = {name for name, field in fields.items() if isinstance(field, SecretField)}
    return frozenset((NAMES - fields.keys()) | secret)


def _hidden(data: Any, names: frozenset[str]) -> Any:
    """Return a copy of a body with a Secret for each of its values that is named and not empty."""
    if not isinstance(data, dict):
        return data
    if isinstance(data, QueryDict):
        return hidden_form(data, *names)
    found = {name for name in names & data.keys() if data[name] and data[name] is not True}
    return {**data, **{name: hide(data[name]) for name in found}}

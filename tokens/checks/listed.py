"""Whether a setting lists a class, by any path and also as a base class."""

from collections.abc import Iterable
from contextlib import suppress

from django.conf import settings
from django.utils.module_loading import import_string

from ..middleware import TokensMiddleware


def classes_of(paths: Iterable[str]) -> list[type]:
    """Return the classes among what the dotted paths name."""
    found = []
    for path in paths:
        with suppress(ImportError):  # Django itself reports such a path.
            found.append(import_string(path))
    return [each for each in found if isinstance(each, type)]


def lists(paths: Iterable[str], needed: type) -> bool:
    """Return whether one of the paths names ``needed`` or a subclass of it."""
    return any(issubclass(each, needed) for each in classes_of(paths))


def has_middleware(needed: type) -> bool:
    """Return whether MIDDLEWARE lists ``needed``, or TokensMiddleware, which has all of this app."""
    return any(lists(settings.MIDDLEWARE, each) for each in (needed, TokensMiddleware))

"""
The addresses of this app's views, wherever the project has put them.

A project can include the routes in a namespace, below a version or another parameter, within
``i18n_patterns``, and more than once. Django's ``reverse`` needs to be told all of that. ``find``
finds it out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import (
    LocalePrefixPattern,
    NoReverseMatch,
    ResolverMatch,
    URLResolver,
    get_resolver,
    get_urlconf,
    reverse,
)
from rest_framework.request import Request
from rest_framework.settings import api_settings

# The names that djangorestframework-simplejwt gives to its routes. All others begin with tokens_.
SIMPLEJWT = ("token_obtain_pair", "token_refresh", "token_verify", "token_blacklist")
_PREFIX = "tokens_"


@dataclass(frozen=True, slots=True)
class _Place:
    """One place of the URLconf, and then one route there."""

    name: str = ""
    namespaces: tuple[str, ...] = ()
    route: str = ""
    parameters: frozenset[str] = frozenset()


def find(name: str, request: HttpRequest | Request | None = None, **own: Any) -> str | None:
    """
    Return the path of the route ``name``, or None if the project has none.

    ``own`` are the parameters of the route itself. Those of the project, such as a version or a
    tenant, are the request's. Of several places, the one nearest to the request's is taken.
    """
    match: ResolverMatch | None = getattr(request, "resolver_match", None)
    brought = {**_version(request), **(match.kwargs if match else {}), **own}
    positional = (*(match.args if match else ()), *own.values())
    for place in sorted(_places(name), key=lambda place: _distance(place, match)):
        full_name = ":".join((*place.namespaces, name))
        known = {key: value for key, value in brought.items() if key in place.parameters}
        # A parameter may be optional, and one without a name is passed by its position.
        for args, kwargs in (((), known), ((), own), (positional, {})):
            try:
                return reverse(full_name, args=args, kwargs=kwargs)
            except NoReverseMatch:
                continue
    return None


def views() -> Iterator[Any]:
    """Return every view that the project has a route for, as it is listed in the URLconf."""
    if getattr(settings, "ROOT_URLCONF", None):
        yield from _views(get_resolver())


def classes_of_views() -> list[type]:
    """Return the classes of the class-based views that the project has a route for."""
    # DRF's views have the first attribute, and Django's the second.
    classes = (getattr(view, "cls", None) or getattr(view, "view_class", None) for view in views())
    return [found for found in classes if isinstance(found, type)]


def _views(resolver: URLResolver) -> Iterator[Any]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern)
        else:
            yield pattern.callback


def _places(name: str) -> list[_Place]:
    every = _every_place(get_resolver(get_urlconf()))
    return [place for place in every if place.name == name]


@lru_cache(maxsize=16)
def _every_place(resolver: URLResolver) -> tuple[_Place, ...]:
    return tuple(_walk(resolver, _Place()))


def _walk(resolver: URLResolver, within: _Place) -> Iterator[_Place]:
    for pattern in resolver.url_patterns:
        here = _below(within, pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, here)
        elif here.name in SIMPLEJWT or here.name.startswith(_PREFIX):
            yield here


def _below(place: _Place, pattern: Any) -> _Place:
    """Return the place of a pattern that is listed at ``place``."""
    matcher = pattern.pattern
    namespace = getattr(pattern, "namespace", None)
    return _Place(
        name=getattr(pattern, "name", None) or "",
        namespaces=(*place.namespaces, namespace) if namespace else place.namespaces,
        # The language of the request that came first would be in the others' places.
        route=place.route
        if isinstance(matcher, LocalePrefixPattern)
        else f"{place.route}{matcher}",
        parameters=place.parameters.union(matcher.regex.groupindex),
    )


def _distance(place: _Place, match: ResolverMatch | None) -> tuple[int, int]:
    if match is None:
        return 0, 0
    return -_shared(place.namespaces, match.namespaces), -_shared(place.route, match.route or "")


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many items at the beginning of both are equal."""
    for count, (item, its_match) in enumerate(zip(one, other, strict=False)):
        if item != its_match:
            return count
    return min(len(one), len(other))


def _version(request: HttpRequest | Request | None) -> dict[str, str]:
    """Return DRF's parameter of the version, for a request whose own path has none."""
    allowed = api_settings.ALLOWED_VERSIONS or ()
    version = getattr(request, "version", None) or api_settings.DEFAULT_VERSION
    version = version or next(iter(allowed), None)
    return {api_settings.VERSION_PARAM: version} if version else {}

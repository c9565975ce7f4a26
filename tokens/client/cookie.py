"""Read a cookie by the exact name that this app sets."""

from django.http import HttpRequest
from rest_framework.request import Request

from ..conf import conf
from ..secret import Secret


def full_name(name: str) -> str:
    """Return the cookie's name with the prefix that TOKENS_COOKIE_SECURE requires."""
    return f"__Host-{name}" if conf.TOKENS_COOKIE_SECURE else name


def find_cookie(request: HttpRequest | Request, name: str) -> Secret[str] | None:
    """
    Return the value of the cookie that has exactly the name that this app sets, or None.

    Django's COOKIES strips every white space of Unicode from the names. A browser takes a name that
    begins with an en quad from any host of the domain, because it does not begin with ``__Host-``.
    """
    wanted, found = full_name(name), ""
    for pair in request.META.get("HTTP_COOKIE", "").split(";"):
        brought, _, value = pair.strip(" \t").partition("=")
        if brought == wanted:
            # A quoted value is the same value (RFC 6265 §4.1.1).
            found = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    return Secret(found) if found else None

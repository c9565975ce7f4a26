"""The cookies of a request, before Django reads them."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# A cookie's name is a token (RFC 6265 §4.1.1), or missing.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*")


class ExactCookieNamesMiddleware:
    """
    Drop cookies with white space or other foreign characters in their names.

    Django strips every white space of Unicode from the names. A browser takes U+2000 and
    ``__Host-sessionid`` from any host of the domain, because that name does not begin with the
    prefix, and Django would read it as this site's session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if header := request.META.get("HTTP_COOKIE"):
            pairs = (pair.strip(" \t") for pair in header.split(";"))
            exact = (pair for pair in pairs if _NAME.fullmatch(pair.partition("=")[0]))
            request.META["HTTP_COOKIE"] = "; ".join(exact)
        return self.get_response(request)

"""
The tokens in cookies that no script can read.

    cookie            holds
    ───────────────   ────────────────────────────────────────
    latchkey_access   the access token, until it expires
    latchkey_refresh  the refresh token, until it expires

Under HTTPS both names begin with ``__Host-``. A browser takes such a cookie from this host only, so
another host of the domain cannot sign its visitors in as another user. The prefix requires the path
``/`` (RFC 6265bis §4.1.3.2), which is also the same for every language and version in the URL.

A browser also sends cookies with requests that another site caused, so call ``require_csrf`` before
you act on a cookie.
"""

import logging
from copy import copy
from math import ceil

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework.authentication import CSRFCheck
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.request import Request

from ..client.cookie import find_cookie, full_name
from ..conf import conf
from ..errors import ClaimsError
from ..secret import Secret, hides_locals
from ..sessions import TokenPair
from .quoting import csrf_reason

logger = logging.getLogger("tokens")

# Methods that need no CSRF token: those of RFC 9110 §9.2.1, as in Django's check.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

ACCESS = "latchkey_access"
REFRESH = "latchkey_refresh"

MAX_SIZE = 4096  # bytes with attributes; a browser silently drops a larger cookie

# A key of request.META that no header can set, because it lacks the prefix HTTP_.
_STATE = "TOKENS_ACCESS_COOKIE"
_READ, _REFUSED = "read", "refused"


def find_access(request: HttpRequest | Request) -> Secret[str] | None:
    """Return the access token of the request's cookie, or None if it has none."""
    request.META.setdefault(_STATE, _READ)
    return find_cookie(request, ACCESS)


def find_refresh(request: HttpRequest | Request) -> Secret[str] | None:
    return find_cookie(request, REFRESH)


def was_read(request: HttpRequest | Request) -> bool:
    """Return whether the access cookie was looked up, so that the answer depends on it."""
    return _STATE in request.META


def refuse_access(request: HttpRequest | Request) -> None:
    request.META[_STATE] = _REFUSED


def is_access_refused(request: HttpRequest | Request) -> bool:
    return request.META.get(_STATE) == _REFUSED


@hides_locals
def set_pair(response: HttpResponseBase, pair: TokenPair) -> None:
    """
    Set the cookies of both tokens, each until its token expires.

    Raises ClaimsError if a cookie is larger than MAX_SIZE.
    """
    for name, raw_token, expires_at in (
        (ACCESS, pair.raw_access, pair.access_expires_at),
        (REFRESH, pair.raw_refresh, pair.refresh_expires_at),
    ):
        cookie = full_name(name)
        response.set_cookie(
            cookie,
            raw_token,
            max_age=max(0, ceil((expires_at - pair.answered_at).total_seconds())),
            secure=conf.TOKENS_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        size = len(response.cookies[cookie].OutputString())
        if size > MAX_SIZE:
            raise ClaimsError(
                f"The cookie {cookie} has {size} bytes, and browsers keep at most {MAX_SIZE}. "
                "Let the project add fewer or shorter claims."
            )


def check_size(pair: TokenPair) -> None:
    """Raise ClaimsError if a browser would not keep the cookies of this pair."""
    set_pair(HttpResponse(), pair)


def delete_access(response: HttpResponseBase) -> None:
    """Delete the access cookie, unless this answer sets a new one."""
    if full_name(ACCESS) not in response.cookies:
        response.delete_cookie(full_name(ACCESS), samesite="Lax")


def delete_all(response: HttpResponseBase) -> None:
    for name in (ACCESS, REFRESH):
        response.delete_cookie(full_name(name), samesite="Lax")


def require_csrf(request: HttpRequest | Request) -> None:
    """
    Return if the method is safe, or if the request has Django's CSRF token and a trusted origin.

    Raises PermissionDenied otherwise, and ParseError for a body that cannot be read. DRF's views
    are exempt from Django's own check, which would also apply to requests with a bearer token.
    """
    _require_csrf(getattr(request, "_request", request))


def require_csrf_header(request: Request) -> None:
    """
    Return if the request has Django's CSRF token in its header, and a trusted origin.

    For a request that stands for another one with an unsafe method, whose body is not there. Raises
    PermissionDenied otherwise.
    """
    represented = copy(request._request)
    represented.method = "PUT"  # Django reads the token from the form of a POST.
    _require_csrf(represented)


def _require_csrf(request: HttpRequest) -> None:
    check = CSRFCheck(lambda request: None)  # type: ignore[arg-type]
    check.process_request(request)
    try:
        reason = check.process_view(request, None, (), {})  # type: ignore[arg-type]
    except (BadRequest, MultiPartParserError):
        # The check reads the form to find the token.
        raise ParseError(_("The body could not be read.")) from None
    if reason:
        logged = csrf_reason(str(reason))
        logger.warning("request by cookie refused: CSRF: %s path=%s", logged, request.path)
        raise PermissionDenied(f"CSRF Failed: {reason}")

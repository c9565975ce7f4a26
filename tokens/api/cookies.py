"""
The tokens in cookies that no script can read.

    cookie            sent to                       holds
    ───────────────   ───────────────────────────   ──────────────────────────────────────
    latchkey_access   every address of the site     the access token, until it expires
    latchkey_refresh  the cookie sign-in and below  the refresh token
    latchkey_logout   the sign-out and below        the same, for when the first has expired

Under HTTPS the first name begins with ``__Host-``. The other two begin with ``__Secure-``, because
``__Host-`` requires the path ``/`` (RFC 6265bis §4.1.3). A browser also sends cookies with requests
that another site caused, so call ``require_csrf`` before you act on a cookie.
"""

import logging
from math import ceil

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.urls import reverse
from rest_framework.authentication import CSRFCheck
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.request import Request

from ..conf import conf
from ..errors import ClaimsError
from ..sessions import TokenPair

logger = logging.getLogger("tokens")

ACCESS = "latchkey_access"
REFRESH = "latchkey_refresh"
LOGOUT = "latchkey_logout"

MAX_SIZE = 4096  # bytes with attributes; a browser silently drops a larger cookie

# A key of request.META that no header can set, because it lacks the prefix HTTP_.
_STATE = "TOKENS_ACCESS_COOKIE"
_READ, _REFUSED = "read", "refused"


def full_name(name: str) -> str:
    """Return the cookie's name with the prefix that TOKENS_COOKIE_SECURE requires."""
    if not conf.TOKENS_COOKIE_SECURE:
        return name
    return f"__Host-{name}" if name == ACCESS else f"__Secure-{name}"


def find_access(request: HttpRequest | Request) -> str | None:
    """Return the access token of the request's cookie, or None if it has none."""
    request.META.setdefault(_STATE, _READ)
    return _find(request, ACCESS)


def find_refresh(request: HttpRequest | Request) -> str | None:
    return _find(request, REFRESH)


def find_logout(request: HttpRequest | Request) -> str | None:
    """Return the refresh token from the cookie that is sent to the sign-out."""
    return _find(request, LOGOUT)


def was_read(request: HttpRequest | Request) -> bool:
    """Return whether the access cookie was looked up, so that the answer depends on it."""
    return _STATE in request.META


def refuse_access(request: HttpRequest | Request) -> None:
    request.META[_STATE] = _REFUSED


def is_access_refused(request: HttpRequest | Request) -> bool:
    return request.META.get(_STATE) == _REFUSED


def set_pair(response: HttpResponseBase, pair: TokenPair) -> None:
    """
    Set the cookies of both tokens, each until its token expires.

    Raises ClaimsError if a cookie is larger than MAX_SIZE.
    """
    for name, path in _cookies():
        is_access = name == ACCESS
        expires_at = pair.access_expires_at if is_access else pair.refresh_expires_at
        cookie = full_name(name)
        response.set_cookie(
            cookie,
            pair.raw_access if is_access else pair.raw_refresh,
            max_age=max(0, ceil((expires_at - pair.answered_at).total_seconds())),
            path=path,
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
    for name, path in _cookies():
        response.delete_cookie(full_name(name), path=path, samesite="Lax")


def require_csrf(request: Request) -> None:
    """
    Return if the method is safe, or if the request has Django's CSRF token and a trusted origin.

    Raises PermissionDenied otherwise, and ParseError for a body that cannot be read. DRF's views
    are exempt from Django's own check, which would also apply to requests with a bearer token.
    """
    check = CSRFCheck(lambda request: None)  # type: ignore[arg-type]
    check.process_request(request._request)
    try:
        reason = check.process_view(request._request, None, (), {})  # type: ignore[arg-type]
    except (BadRequest, MultiPartParserError):
        # The check reads the form to find the token.
        raise ParseError("The body could not be read.") from None
    if reason:
        logger.warning("request by cookie refused: CSRF: %s path=%s", reason, request.path)
        raise PermissionDenied(f"CSRF Failed: {reason}")


def _cookies() -> list[tuple[str, str]]:
    return [
        (ACCESS, "/"),
        (REFRESH, reverse("token_cookie")),
        # A single cookie for both would be sent to every address of the API, and so more often
        # reach the logs of proxies.
        (LOGOUT, reverse("logout")),
    ]


def _find(request: HttpRequest | Request, name: str) -> str | None:
    return request.COOKIES.get(full_name(name)) or None

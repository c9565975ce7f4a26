"""
The tokens in a browser's cookies, out of the reach of scripts.

    cookie            sent to                       holds
    ───────────────   ───────────────────────────   ──────────────────────────────────────
    latchkey_access   every address of the site     the access token, while it is good
    latchkey_refresh  the cookie sign-in and below  the refresh token
    latchkey_logout   the sign-out and below        the same, for when the first has expired

Under HTTPS their names begin with ``__Host-``, or with ``__Secure-`` where a path of their own
forbids that (RFC 6265bis §4.1.3). A browser sends them by itself, also when a page of somebody
else asked it to: whatever acts by a cookie calls ``require_csrf`` first.
"""

import logging
from datetime import datetime
from math import ceil

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.urls import reverse
from django.utils import timezone
from rest_framework.authentication import CSRFCheck
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.request import Request

from ..conf import conf
from ..sessions import TokenPair

logger = logging.getLogger("tokens")

ACCESS = "latchkey_access"
REFRESH = "latchkey_refresh"
LOGOUT = "latchkey_logout"

MAX_SIZE = 4096  # bytes, attributes included; a browser drops a larger one without a word

# A key of request.META, where no header of the caller's can put it.
_STATE = "TOKENS_ACCESS_COOKIE"
_READ, _REFUSED = "read", "refused"


def full_name(name: str) -> str:
    """Return the name that the browser knows, by whether it is for HTTPS alone."""
    if not conf.TOKENS_COOKIE_SECURE:
        return name
    return f"__Host-{name}" if name == ACCESS else f"__Secure-{name}"


def find_access(request: HttpRequest | Request) -> str | None:
    """Return the access token of the request's cookie, None where there is none."""
    request.META.setdefault(_STATE, _READ)
    return _find(request, ACCESS)


def find_refresh(request: HttpRequest | Request) -> str | None:
    return _find(request, REFRESH)


def find_logout(request: HttpRequest | Request) -> str | None:
    """Return the refresh token as the sign-out gets it."""
    return _find(request, LOGOUT)


def was_read(request: HttpRequest | Request) -> bool:
    """Return whether the answer depends on the access cookie, be there one or not."""
    return _STATE in request.META


def refuse_access(request: HttpRequest | Request) -> None:
    request.META[_STATE] = _REFUSED


def is_access_refused(request: HttpRequest | Request) -> bool:
    return request.META.get(_STATE) == _REFUSED


def set_pair(response: HttpResponseBase, pair: TokenPair, *, now: datetime | None = None) -> None:
    """
    Give the browser both tokens, each until it expires.

    Raises ValueError for a token that no browser would keep.
    """
    now = now or timezone.now()
    for name, path in _cookies():
        is_access = name == ACCESS
        expires_at = pair.access_expires_at if is_access else pair.refresh_expires_at
        cookie = full_name(name)
        response.set_cookie(
            cookie,
            pair.raw_access if is_access else pair.raw_refresh,
            max_age=max(0, ceil((expires_at - now).total_seconds())),
            path=path,
            secure=conf.TOKENS_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        size = len(response.cookies[cookie].OutputString())
        if size > MAX_SIZE:
            raise ValueError(
                f"The cookie {cookie} has {size} bytes, and browsers keep at most {MAX_SIZE}. "
                "Let TOKENS_CLAIMS_HOOK add less."
            )


def delete_access(response: HttpResponseBase) -> None:
    """Take the access cookie away, unless this very answer sets a new one."""
    if full_name(ACCESS) not in response.cookies:
        response.delete_cookie(full_name(ACCESS), samesite="Lax")


def delete_all(response: HttpResponseBase) -> None:
    for name, path in _cookies():
        response.delete_cookie(full_name(name), path=path, samesite="Lax")


def require_csrf(request: Request) -> None:
    """
    Let a safe request pass, and an unsafe one with Django's CSRF token from an origin of ours.

    Raises PermissionDenied. DRF's views are exempt from Django's own check, which would ask
    those with a bearer token too.
    """
    check = CSRFCheck(lambda request: None)  # type: ignore[arg-type]
    check.process_request(request._request)
    try:
        reason = check.process_view(request._request, None, (), {})  # type: ignore[arg-type]
    except (BadRequest, MultiPartParserError):
        # It looks for its token in the form, and what it cannot read there is the caller's doing.
        raise ParseError("The body could not be read.") from None
    if reason:
        logger.warning("request by cookie refused: CSRF: %s path=%s", reason, request.path)
        raise PermissionDenied(f"CSRF Failed: {reason}")


def _cookies() -> list[tuple[str, str]]:
    return [
        (ACCESS, "/"),
        (REFRESH, reverse("token_cookie")),
        # One cookie for both would have to go to all of /api/, and into every log on the way.
        (LOGOUT, reverse("logout")),
    ]


def _find(request: HttpRequest | Request, name: str) -> str | None:
    return request.COOKIES.get(full_name(name)) or None

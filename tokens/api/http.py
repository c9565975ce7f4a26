"""
The bearer credential of a request, and the answer to a refused token.

The answer says no more about the reason than djangorestframework-simplejwt's does. The log has it.
Its texts are in the language of the request, as DRF's are; in English they are simplejwt's, byte for
byte. Its codes are the same in every language.
"""

import logging
from functools import lru_cache
from typing import Any

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .. import signals
from ..client import header_of
from ..conf import conf
from ..errors import (
    Denied,
    Expired,
    KeyRingError,
    PasswordChanged,
    SessionEnded,
    TokenError,
    UserGone,
    UserInactive,
    UserRefused,
    WrongType,
    with_hint,
)
from ..secret import Secret

# The database is down, restarting, too slow, full, or read-only after a failover.
DATABASE_ERRORS = (OperationalError, InterfaceError, InternalError)

# The same text for every client, so that it does not reveal where an account's owner has been.
TOO_MANY_ATTEMPTS = _(
    "There were too many attempts to sign in. Try again later, or from a browser or network from which "
    "you have signed in before, or ask an administrator to admit you."
)

# A key of request.META that no header can set, because it lacks the prefix HTTP_.
_AUTHENTICATED = "TOKENS_AUTHENTICATED"
_PRIVATE_ADDRESS = "TOKENS_PRIVATE_ADDRESS"


# RFC 6749 §5.2, and §4.1.2.1 for the last two.
_OAUTH_ERRORS = {
    400: "invalid_request",
    401: "invalid_grant",
    413: "invalid_request",
    415: "invalid_request",
    429: "temporarily_unavailable",
    503: "temporarily_unavailable",
}


def add_oauth_error(answer: Response) -> None:
    """
    Add the member ``error`` of RFC 6749 §5.2 to a refusal of a token endpoint.

    Without it, OAuth clients that do not look at the status take the refusal for a token. The errors
    of fields stay as they are, because each of their members is a field.
    """
    error = _OAUTH_ERRORS.get(answer.status_code)
    if error and isinstance(answer.data, dict) and "detail" in answer.data:
        answer.data.setdefault("error", error)


class Unauthorized(APIException):
    """A 401 with a challenge, also from a view without authentication classes."""

    status_code = 401

    def __init__(self, detail: dict[str, str]) -> None:
        super().__init__({**detail}, detail.get("code", NotAuthenticated.default_code))
        self.auth_header = challenge_without_token()


class Unavailable(APIException):
    """A failure of the server that may be temporary. The answer has Retry-After."""

    status_code = 503
    default_detail = _("The service is not available at the moment. Try again later.")
    default_code = "unavailable"
    wait = 5  # seconds, sent as Retry-After


class TooBusy(Unavailable):
    """The process checks as many passwords at once as it may."""

    default_detail = _("Too many passwords are being checked at the moment. Try again in a second.")
    wait = 1


def bearer(request: HttpRequest | Request) -> Secret[str] | None:
    """
    Return the request's bearer credential (RFC 6750 §2.1), or None if it has none.

    The scheme may be any of TOKENS_HEADER_TYPES. Raises AuthenticationFailed if it is not followed by
    exactly one word.
    """
    scheme, *words = _credential(request)
    if not _is_ours(scheme):
        return None
    if len(words) != 1:
        raise AuthenticationFailed(
            {
                "detail": gettext("Authorization header must contain two space-delimited values"),
                "code": "bad_authorization_header",
            },
            "bad_authorization_header",
        )
    return Secret(str(words[0]))


def challenge(request: HttpRequest | Request) -> str:
    sent = _is_ours(_credential(request)[0])
    return challenge_to_refused_token() if sent else challenge_without_token()


def challenge_without_token() -> str:
    """Return the challenge to a request that has no credential: without an error (RFC 6750 §3)."""
    return f'{next(iter(conf.TOKENS_HEADER_TYPES), "Bearer")} realm="api"'


def challenge_to_refused_token() -> str:
    return f'{challenge_without_token()}, error="invalid_token"'


def _is_ours(scheme: str) -> bool:
    ours = conf.TOKENS_HEADER_TYPES
    return scheme in ours or scheme.lower() in {each.lower() for each in ours}


def note_authenticated(request: HttpRequest | Request) -> None:
    """Note that a token authenticated this request, so that no cache stores the answer to it."""
    request.META[_AUTHENTICATED] = True
    # Django's cache_page() around a view stores the answer before any middleware sees it.
    underlying: Any = getattr(request, "_request", request)  # A middleware has Django's.
    underlying._cache_update_cache = False


def was_authenticated(request: HttpRequest | Request) -> bool:
    return _AUTHENTICATED in request.META


def note_private_address(request: HttpRequest | Request) -> None:
    """Note that the address of this request holds a credential, which no Referer may pass on."""
    request.META[_PRIVATE_ADDRESS] = True


def has_private_address(request: HttpRequest | Request) -> bool:
    return _PRIVATE_ADDRESS in request.META


def forbid_storing(response: HttpResponseBase) -> None:
    """Set ``Cache-Control: no-store``, unless the header says it already, alone or with more."""
    if "no-store" not in response.get("Cache-Control", "").lower():
        response["Cache-Control"] = "no-store"


def _credential(request: HttpRequest | Request) -> list[str]:
    # Split at spaces only (RFC 9110 §11.4). split() also splits at a no-break space, and a proxy
    # in front would then read another credential than this function.
    words = header_of(request, _meta_key(conf.TOKENS_HEADER_NAME)).split(" ")
    return [word for word in words if word] or [""]


@lru_cache(maxsize=32)
def _meta_key(header: str) -> str:
    """Return the key of a header in ``request.META``."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def request_refusal(error: TokenError) -> AuthenticationFailed:
    """Log the refusal of a request's credential, and return the 401 for it."""
    signals.log("access_refused", reason=type(error).__name__, detail=error)
    match error:
        case UserInactive():
            return _failed(gettext("User is inactive"), "user_inactive")
        case UserGone():
            return _failed(gettext("User not found"), "user_not_found")
        case PasswordChanged():
            return _failed(gettext("The user's password has been changed."), "password_changed")
    return AuthenticationFailed(
        {
            "detail": gettext("Given token not valid for any token type"),
            "code": "token_not_valid",
            "messages": [
                {
                    "token_class": "AccessToken",
                    "token_type": "access",
                    "message": _message(error),
                }
            ],
        },
        "token_not_valid",
    )


def body_refusal(error: TokenError) -> Unauthorized:
    """Log the refusal of a token in the body, and return the 401 for it."""
    signals.log("token_refused", reason=type(error).__name__, detail=error)
    return Unauthorized({"detail": _message(error), "code": "token_not_valid"})


def ring_unavailable(error: KeyRingError) -> Unavailable:
    """Log that the key ring is unavailable, and return the 503 for it."""
    signals.log("key_ring_unavailable", level=logging.ERROR, detail=with_hint(error))
    return Unavailable()


def database_unavailable(error: Exception) -> Unavailable:
    """Log that the database does not work, and return the 503 for it."""
    signals.log("database_unavailable", level=logging.ERROR, detail=error)
    return Unavailable()


def _failed(detail: str, code: str) -> AuthenticationFailed:
    # The second code is that of the exception, for exception handlers that ask get_codes().
    return AuthenticationFailed({"detail": detail, "code": code}, code)


def _message(error: TokenError) -> str:
    match error:
        case Expired():
            return gettext("Token is expired")
        case WrongType():
            return gettext("Token has wrong type")
        case PasswordChanged():
            return gettext("The user's password has been changed.")
        case UserRefused():
            return gettext("No active account found for the given token.")
        case Denied() | SessionEnded():
            return gettext("Token is blacklisted")
    return gettext("Token is invalid")

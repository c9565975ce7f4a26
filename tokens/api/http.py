"""
The bearer credential of a request, and the answer to a refused token.

The answer says no more about the reason than djangorestframework-simplejwt's does. The log has it.
"""

import logging

from django.http import HttpRequest
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from .. import signals
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

# RFC 6750 §3: no error code without a credential, invalid_token with a refused one.
CHALLENGE = 'Bearer realm="api"'
CHALLENGE_INVALID_TOKEN = f'{CHALLENGE}, error="invalid_token"'


class Unauthorized(APIException):
    """A 401 with a challenge, also from a view without authentication classes."""

    status_code = 401
    auth_header = CHALLENGE

    def __init__(self, detail: dict[str, str]) -> None:
        super().__init__({**detail})


class Unavailable(APIException):
    """A failure of the server that may be temporary. The answer has Retry-After."""

    status_code = 503
    default_detail = "The service is not available at the moment. Try again later."
    default_code = "unavailable"
    wait = 5  # seconds, sent as Retry-After


def bearer(request: HttpRequest | Request) -> str | None:
    """
    Return the request's bearer credential (RFC 6750 §2.1), or None if it has none.

    Raises AuthenticationFailed if "Bearer" is not followed by exactly one word.
    """
    scheme, *words = _credential(request)
    if scheme.lower() != "bearer":
        return None
    if len(words) != 1:
        raise AuthenticationFailed(
            {
                "detail": "Authorization header must contain two space-delimited values",
                "code": "bad_authorization_header",
            }
        )
    return str(words[0])


def challenge(request: HttpRequest | Request) -> str:
    sent = _credential(request)[0].lower() == "bearer"
    return CHALLENGE_INVALID_TOKEN if sent else CHALLENGE


def _credential(request: HttpRequest | Request) -> list[str]:
    # Split at spaces only (RFC 9110 §11.4). split() also splits at a no-break space, and a proxy
    # in front would then read another credential than this function.
    words = request.META.get("HTTP_AUTHORIZATION", "").split(" ")
    return [word for word in words if word] or [""]


def request_refusal(error: TokenError) -> AuthenticationFailed:
    """Log the refusal of a request's credential, and return the 401 for it."""
    signals.log("access_refused", reason=type(error).__name__, detail=error)
    match error:
        case UserInactive():
            return _failed("User is inactive", "user_inactive")
        case UserGone():
            return _failed("User not found", "user_not_found")
        case PasswordChanged():
            return _failed("The user's password has been changed.", "password_changed")
    return AuthenticationFailed(
        {
            "detail": "Given token not valid for any token type",
            "code": "token_not_valid",
            "messages": [
                {
                    "token_class": "AccessToken",
                    "token_type": "access",
                    "message": _message(error),
                }
            ],
        }
    )


def body_refusal(error: TokenError) -> Unauthorized:
    """Log the refusal of a token in the body, and return the 401 for it."""
    signals.log("token_refused", reason=type(error).__name__, detail=error)
    return Unauthorized({"detail": _message(error), "code": "token_not_valid"})


def ring_unavailable(error: KeyRingError) -> Unavailable:
    """Log that the key ring is unavailable, and return the 503 for it."""
    signals.log("key_ring_unavailable", level=logging.ERROR, detail=with_hint(error))
    return Unavailable()


def _failed(detail: str, code: str) -> AuthenticationFailed:
    return AuthenticationFailed({"detail": detail, "code": code})


def _message(error: TokenError) -> str:
    match error:
        case Expired():
            return "Token is expired"
        case WrongType():
            return "Token has wrong type"
        case PasswordChanged():
            return "The user's password has been changed."
        case UserRefused():
            return "No active account found for the given token."
        case Denied() | SessionEnded():
            return "Token is blacklisted"
    return "Token is invalid"

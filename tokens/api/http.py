"""
Between requests and the rules: the bearer credential, the client, and what a refusal sounds like.

A caller learns no more of the reason than djangorestframework-simplejwt's clients know to read.
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

# RFC 6750 §3: without a credential no error code, with a bad one invalid_token.
CHALLENGE = 'Bearer realm="api"'
CHALLENGE_INVALID_TOKEN = f'{CHALLENGE}, error="invalid_token"'


class Unauthorized(APIException):
    """A token in the body is refused: 401, also where a view has no authentication class."""

    status_code = 401
    auth_header = CHALLENGE

    def __init__(self, detail: dict[str, str]) -> None:
        super().__init__({**detail})


class Unavailable(APIException):
    """The server's own trouble, which may have passed when the caller asks again."""

    status_code = 503
    default_detail = "The service is not available at the moment. Try again later."
    default_code = "unavailable"
    wait = 5  # seconds, sent as Retry-After


def bearer(request: HttpRequest | Request) -> str | None:
    """
    Return the request's bearer credential (RFC 6750 §2.1), None where there is none.

    Raises AuthenticationFailed for one that is not a single word.
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
    # At spaces only (RFC 9110 §11.4): split() would take a no-break space, which no proxy does.
    words = request.META.get("HTTP_AUTHORIZATION", "").split(" ")
    return [word for word in words if word] or [""]


def request_refusal(error: TokenError) -> AuthenticationFailed:
    """Return what a caller of a protected view hears."""
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
    """Return what a caller hears who sent the token in the body."""
    signals.log("token_refused", reason=type(error).__name__, detail=error)
    return Unauthorized({"detail": _message(error), "code": "token_not_valid"})


def ring_unavailable(error: KeyRingError) -> Unavailable:
    """Return what a caller hears while no token can be judged."""
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

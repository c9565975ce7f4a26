"""
What a refused client gets: the status and body of the API, or a close code.

    when                                             answer
    ──────────────────────────────────────────────   ─────────────────────────────────────────────────
    HTTP                                             401 with a challenge, 403, 503 with Retry-After
    WebSocket, before it is accepted                 the same, where the server has the extension
                                                     ``websocket.http.response``; 403 elsewhere
    WebSocket, after that                            close code 4401, or 1013 where the server failed
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotAuthenticated,
)

from ..api import http
from ..errors import KeyRingError, TokenError
from .credentials import Scope

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Private to this application (RFC 6455 §7.4.2), and made of HTTP's 401.
CLOSE_CODE = 4401
TRY_AGAIN_LATER = 1013  # In IANA's registry of close codes.
EXTENSION = "websocket.http.response"

# The reasons of a close: a short sentence, as those of ``connections``. RFC 6455 §5.5.1: at most 123
# bytes. They say no more than the answers of HTTP, whose codes and texts are simplejwt's.
UNAVAILABLE = "The session cannot be checked now. Connect again later."
REFUSED = "The access token was refused. Connect with another one."
MISSING = "An access token is missing. Sign in first."

# What a credential may raise.
ERRORS = (APIException, TokenError, KeyRingError, *http.DATABASE_ERRORS)


def refusal_of(error: Exception) -> APIException:
    """Log why a credential is refused or cannot be judged, and return the answer to it."""
    match error:
        case APIException():
            return error
        case TokenError():
            return http.request_refusal(error)
        case KeyRingError():
            return http.ring_unavailable(error)
    return http.database_unavailable(error)


def close_of(refusal: APIException) -> Message:
    """Return the close of a WebSocket, with its code and reason."""
    match refusal:
        case http.Unavailable():
            code, reason = TRY_AGAIN_LATER, UNAVAILABLE
        case NotAuthenticated():
            code, reason = CLOSE_CODE, MISSING
        case _:
            code, reason = CLOSE_CODE, REFUSED
    return {"type": "websocket.close", "code": code, "reason": reason}


def code_of(refusal: APIException) -> str:
    """Return the code that the body of the API's answer has."""
    codes = refusal.detail["code"] if isinstance(refusal.detail, dict) else refusal.detail.code  # type: ignore[union-attr]
    return str(codes)


async def send_answer(send: Send, refusal: APIException, *, prefix: str = "http") -> None:
    """Send the refusal as the answer to an HTTP request, or to a handshake by the extension."""
    detail = refusal.detail
    body = json.dumps(detail if isinstance(detail, dict) else {"detail": str(detail)}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if isinstance(refusal, NotAuthenticated):
        headers.append((b"www-authenticate", http.challenge_without_token().encode()))
    elif isinstance(refusal, AuthenticationFailed):
        headers.append((b"www-authenticate", http.challenge_to_refused_token().encode()))
    elif isinstance(refusal, http.Unavailable):
        headers.append((b"retry-after", str(refusal.wait).encode()))
    await send(
        {"type": f"{prefix}.response.start", "status": refusal.status_code, "headers": headers}
    )
    await send({"type": f"{prefix}.response.body", "body": body})


async def refuse_handshake(scope: Scope, receive: Receive, send: Send, error: Exception) -> None:
    """Answer a handshake that has not been accepted."""
    refusal = refusal_of(error)
    if (await receive())["type"] != "websocket.connect":
        return
    if EXTENSION in (scope.get("extensions") or {}):
        await send_answer(send, refusal, prefix="websocket.http")
    else:
        await send(close_of(refusal))


async def close(send: Send, error: Exception) -> None:
    """Close a WebSocket that was accepted to wait for its first message."""
    await send(close_of(refusal_of(error)))

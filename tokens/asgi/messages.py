"""
The messages by which a client authenticates over the socket.

    client   {"type": "authenticate", "token": "<access token>"}
    server   {"type": "authenticated", "expires_in": 300}
             {"type": "authentication_failed", "code": "token_not_valid"}

They are text. The application never sees them.
"""

import json
from typing import Any

from rest_framework.exceptions import APIException

from .. import clock
from ..errors import Malformed
from ..jose import Claims
from ..secret import Secret
from . import answers
from .answers import Message

TYPE = "authenticate"
# Characters of a message: a token has at most 8,192.
MAX_LENGTH = 9000


def token_in(message: Message) -> Secret[str] | None:
    """
    Return the token of a client's message, or None if it is a message of the application's own.

    Raises Malformed if its type is "authenticate" and the rest is not right.
    """
    text = message.get("text")
    # Looked at first, because nearly every message is the application's.
    if not isinstance(text, str) or TYPE not in text[:MAX_LENGTH]:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("type") != TYPE:
        return None
    token = found.get("token")
    if len(text) > MAX_LENGTH or found.keys() != {"type", "token"} or not isinstance(token, str):
        raise Malformed('A message of the type "authenticate" has a "token", and nothing else.')
    return Secret(token)


def first_token(message: Message) -> Secret[str]:
    """Return the token of the first message. Raises Malformed for any other message."""
    if len(message.get("text") or "") > MAX_LENGTH:
        raise Malformed("The first message is too long.")
    token = token_in(message)
    if token is None:
        raise Malformed('The first message is not one of the type "authenticate".')
    return token


def authenticated(claims: Claims) -> Message:
    remaining = (claims.expires_at - clock.now()).total_seconds()
    return _text({"type": "authenticated", "expires_in": max(0, int(remaining))})


def failed(refusal: APIException) -> Message:
    return _text({"type": "authentication_failed", "code": answers.code_of(refusal)})


def _text(content: dict[str, Any]) -> Message:
    return {"type": "websocket.send", "text": json.dumps(content)}

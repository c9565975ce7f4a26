"""
Where a credential may be, and that there is one only.

    credential     HTTP   WebSocket
    ────────────   ────   ─────────────────────────────────────────────────────────────────
    header         yes    Authorization, for clients that are no browsers
    cookie         yes    the access cookie, if the Origin is trusted
    subprotocol           ``latchkey.bearer`` and the token after it, for browsers
    ticket                ``?ticket=``, if ``tickets`` is installed; taken out of the query
    first message         see ``messages``

The rules for headers, cookies and CSRF are those of ``api``.
"""

from collections.abc import Callable, Coroutine, MutableMapping
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from logging import getLogger
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import PermissionDenied as Forbidden
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from .. import sessions
from ..api import cookies, http
from ..api.quoting import csrf_reason
from ..errors import Malformed, TokenError
from ..secret import Secret
from ..sessions import Authenticated
from ..sessions.lazy_user import LazyUser
from . import optional

logger = getLogger("tokens")

Scope = MutableMapping[str, Any]

# The subprotocol that precedes a token. It is accepted, and the token never is.
MARKER = "latchkey.bearer"
_PROTOCOL_HEADER = b"sec-websocket-protocol"
# Not needed here, and Django reads them when the request object is made.
_BODY_HEADERS = {b"content-type", b"content-length"}
_SCHEMES = {"ws": "http", "wss": "https"}


class Kind(Enum):
    HEADER = "header"
    COOKIE = "cookie"
    SUBPROTOCOL = "subprotocol"
    TICKET = "ticket"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Credential:
    kind: Kind
    value: Secret[str]


def request_of(scope: Scope) -> ASGIRequest:
    """Return the scope as a request, without query and body, for the rules that take a request."""
    request = ASGIRequest(
        {
            **scope,
            "method": scope.get("method", "GET"),
            "scheme": _SCHEMES.get(scope.get("scheme", ""), scope.get("scheme")),
            "query_string": b"",
            "headers": [pair for pair in scope["headers"] if pair[0] not in _BODY_HEADERS],
        },
        BytesIO(),
    )
    header, _ = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    # Traefik writes wss for a WebSocket, where Django expects https.
    if request.META.get(header) in _SCHEMES:
        request.META[header] = _SCHEMES[request.META[header]]
    return request


def find(request: ASGIRequest) -> Credential | None:
    """
    Return the credential of an HTTP request: the header, or else the cookie.

    Raises AuthenticationFailed for a header that cannot be read, and PermissionDenied for a cookie
    with an unsafe method and no CSRF token in the header.
    """
    raw_access = http.bearer(request)
    if raw_access is not None:
        return Credential(Kind.HEADER, raw_access)
    raw_access = cookies.find_access(request)
    if raw_access is None:
        return None
    if request.method not in cookies.SAFE_METHODS:
        try:
            cookies.require_csrf_header(Request(request))
        except ImproperlyConfigured:
            # CSRF_USE_SESSIONS: the session is not there before Django's middleware runs.
            raise PermissionDenied("CSRF Failed: The session is not known.") from None
    return Credential(Kind.COOKIE, raw_access)


def take(scope: Scope) -> list[Credential]:
    """Take the ticket and the token among the subprotocols out of the scope of a WebSocket."""
    tickets = optional.tickets()
    ticket = tickets.take(scope) if tickets else None
    found = [Credential(Kind.TICKET, ticket)] if ticket else []
    return found + [Credential(Kind.SUBPROTOCOL, token) for token in _take_subprotocol(scope)]


def only_one(taken: list[Credential], request: ASGIRequest) -> Credential | None:
    """
    Return the credential of a handshake, or None if it has none.

    ``taken`` are those that were in the scope. Raises Malformed if there are two, AuthenticationFailed
    for a header that cannot be read, and PermissionDenied for a cookie from another site.
    """
    found = list(taken)
    if raw_access := http.bearer(request):
        found.append(Credential(Kind.HEADER, raw_access))
    if raw_access := cookies.find_access(request):
        found.append(Credential(Kind.COOKIE, raw_access))
    # RFC 6750 §2: a request has one credential only. Two could belong to two users.
    if len(found) > 1:
        kinds = " and ".join(credential.kind.value for credential in found)
        raise Malformed(f"The handshake has more than one credential: {kinds}.")
    if not found:
        return None
    if found[0].kind is Kind.COOKIE:
        require_trusted_origin(request)
    return found[0]


async def authenticate(credential: Credential, *, path: str = "") -> Authenticated:
    """
    Return what the credential stands for. Raises TokenError.

    ``path`` is that of the request, for which a ticket must be. Without a query, as in snapshot mode,
    it takes no thread, and the user is loaded later.
    """
    if credential.kind is Kind.TICKET:
        redeem = in_thread(optional.tickets().redeem)
        return cast("Authenticated", await redeem(credential.value, path=path))
    return _forbidding(await sessions.aauthenticate(credential.value, in_thread=in_thread))


def authenticate_now(credential: Credential) -> Authenticated:
    """Do the same in synchronous code, for the credential of an HTTP request."""
    return _forbidding(sessions.authenticate(credential.value))


def _forbidding(found: Authenticated) -> Authenticated:
    """Let a user that is loaded later, and refused then, be an answer of Django instead of an error."""
    if type(found.user) is LazyUser:
        found.user.raise_refusals_as(_forbidden)
    return found


def _forbidden(error: TokenError) -> Exception:
    http.request_refusal(error)  # It logs the reason, which the client does not get.
    return Forbidden("The access token was refused.")


async def load_user(found: Authenticated) -> Authenticated:
    """Return the same with the user loaded, by a query if need be. Raises TokenError."""
    if type(found.user) is not LazyUser:
        return found
    session = await in_thread(getattr)(found, "session")
    return Authenticated(found.claims, session.user, lambda: session)


def in_thread(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """
    Do what ``sync_to_async`` does, for a function that runs queries outside of Django's requests.

    Django replaces lost connections at the beginning and end of a request, in the thread of its views.
    Without that, a connection that was lost would never be replaced in this thread.
    """

    def with_connections(*args: Any, **kwargs: Any) -> Any:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return sync_to_async(with_connections)


def require_trusted_origin(request: ASGIRequest) -> None:
    """
    Raise PermissionDenied unless a page of this site, or of CSRF_TRUSTED_ORIGINS, opens the WebSocket.

    RFC 6455 §10.2: a browser sends the cookie with a handshake that any site causes, and lets the
    page of that site read what the WebSocket sends. Every browser sends Origin (§4.1), so a handshake
    without it is no browser's, and has no reason to use a cookie.
    """
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        reason = "Origin checking failed - no Origin."
    elif CsrfViewMiddleware(lambda request: HttpResponse())._origin_verified(request):  # type: ignore[attr-defined]
        return
    else:
        reason = f"Origin checking failed - {origin} does not match any trusted origins."
    logger.warning("WebSocket by cookie refused: %s path=%s", csrf_reason(reason), request.path)
    raise PermissionDenied("CSRF Failed: The Origin is not trusted.")


def _take_subprotocol(scope: Scope) -> list[Secret[str]]:
    """Return each token after a marker, an empty one if it is missing, and remove both."""
    offered = list(scope.get("subprotocols") or [])
    if MARKER not in offered:
        return []
    tokens, rest = [], []
    while offered:
        name = offered.pop(0)
        if name == MARKER:
            tokens.append(Secret(offered.pop(0) if offered else ""))
        else:
            rest.append(name)
    offer(scope, rest)
    return tokens


def offer(scope: Scope, subprotocols: list[str]) -> None:
    """Let the application see that the client offers these subprotocols, and no others."""
    scope["subprotocols"] = subprotocols
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != _PROTOCOL_HEADER]
    if subprotocols:
        value = ", ".join(subprotocols).encode("latin-1", "replace")
        scope["headers"].append((_PROTOCOL_HEADER, value))

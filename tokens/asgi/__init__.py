"""
Authentication for ASGI applications: ``JWTMiddleware`` sets the user of a request or a WebSocket.

    middleware     JWTMiddleware
    lookup         the credential of an HTTP request, looked up when something needs the user
    handshakes     the credential of a WebSocket, decided before the application runs
    credentials    where a credential may be, and that there is one only
    renewing       a newer access token over an authenticated WebSocket
    messages       the messages by which a client authenticates over the socket
    deadlines      one timer for all sockets that have not authenticated yet
    answers        what a refused client gets
    optional       the packages that this one uses if they are there

This package can be deleted, and no other imports it. It does not import Channels. May import
``connections`` and ``tickets`` by ``optional``, ``api`` and the packages below it.
"""

from .lookup import authenticate, send_unauthorized
from .middleware import JWTMiddleware

__all__ = ["JWTMiddleware", "authenticate", "send_unauthorized"]

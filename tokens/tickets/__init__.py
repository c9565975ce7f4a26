"""
Single-use tickets, for requests that cannot send a header: a link, an image, an ``EventSource``.

    issuing          issues a ticket for one method and path, and lets one request use it
    hiding           takes a ticket out of the address, before anything logs it
    authentication   the class that a view lists to accept tickets
    handshakes       a ticket for a WebSocket, which ``asgi`` accepts
    views, urls      ``POST /api/token/ticket/``
    models           the tickets that have not been used

This package is an app of its own: list it in INSTALLED_APPS, or delete it. ``asgi`` uses it
if it is installed; no other package imports it. May import ``api``, ``authentication`` and the packages below them.
"""

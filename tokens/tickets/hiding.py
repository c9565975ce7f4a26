"""
Take a ticket out of the address of a request, before anything logs or reports it.

Logs of servers and Django's error pages show the query. So the ticket moves from the query to a
``Secret`` in the ``environ`` or ``scope`` of the request. Under WSGI, Sentry has read the query before
Django does, so ``clean_event`` removes the ticket from the events of the request.
"""

import sys
from collections.abc import MutableMapping
from typing import Any

from django.http import HttpRequest

from ..secret import Secret
from .issuing import FORMAT

PARAMETER = "ticket"
# The key in the environ or scope. No header can set it.
_KEY = "tokens.ticket"


def hide(
    environ: dict[str, Any] | None = None,
    scope: MutableMapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Receive ``request_started``, which Django sends before it makes the request object."""
    if environ is not None:
        rest, ticket = _split(environ.get("QUERY_STRING") or "")
        if ticket:
            environ["QUERY_STRING"] = rest
            environ[_KEY] = ticket
            _clean_events()
            for name in ("REQUEST_URI", "RAW_URI"):  # Not WSGI's, but servers and reports use them.
                if name in environ:
                    environ[name] = _without_ticket(environ[name], rest)
    elif scope is not None:
        query = scope.get("query_string") or b""  # Text in Django's test client.
        rest, ticket = _split(query if isinstance(query, str) else query.decode("latin-1"))
        if ticket:
            scope["query_string"] = rest.encode("latin-1")
            scope[_KEY] = ticket
            _clean_events()


def clean_event(event: Any, hint: Any = None) -> Any:
    """Return an event of Sentry, or a part of one, with ``[ticket]`` in place of each ticket."""
    if isinstance(event, str):
        return FORMAT.sub("[ticket]", event)
    if isinstance(event, dict):
        return {name: clean_event(value) for name, value in event.items()}
    if isinstance(event, list | tuple):
        return type(event)(clean_event(part) for part in event)
    return event


def _clean_events() -> None:
    """Let Sentry, if the project uses it, clean the events of this request."""
    if "sentry_sdk" in sys.modules:
        from sentry_sdk import get_isolation_scope

        # It runs after the processor that adds the query, which Sentry added before Django was called.
        get_isolation_scope().add_event_processor(clean_event)


def ticket_in(scope: MutableMapping[str, Any]) -> Secret[str] | None:
    """Return the ticket that was in the query of this scope, or None."""
    return scope.get(_KEY)


def ticket_of(request: HttpRequest) -> Secret[str] | None:
    """Return the ticket that was in the address of this request, or None."""
    found = request.META.get(_KEY) or getattr(request, "scope", {}).get(_KEY)
    if found is None:
        # No server made the request, but for example RequestFactory did.
        hide(environ=request.META)
        found = request.META.get(_KEY)
        if found is not None:
            request.__dict__.pop("GET", None)
    return found


def _split(query: str) -> tuple[str, Secret[str] | None]:
    """Return the query without tickets, and the ticket: an empty one, which is refused, for two."""
    if f"{PARAMETER}=" not in query:
        return query, None
    fields = query.split("&")
    tickets = [field for field in fields if _is_ticket(field)]
    rest = "&".join(field for field in fields if not _is_ticket(field))
    if len(tickets) != 1:
        return rest, Secret("") if tickets else None
    return rest, Secret(tickets[0].partition("=")[2])


def _is_ticket(field: str) -> bool:
    """Return whether it has the format of a ticket: a project may have its own parameter "ticket"."""
    name, _, value = field.partition("=")
    return name == PARAMETER and FORMAT.fullmatch(value) is not None


def _without_ticket(address: str, rest: str) -> str:
    path = address.partition("?")[0]
    return f"{path}?{rest}" if rest else path

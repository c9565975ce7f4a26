"""
The client of a request: its IP address, user agent and device.

    forwarded    the headers in which proxies pass the client's address
    cookie       read a cookie by its exact name
    current      the request that is being answered
    devices      the device of a user agent, in words that its sender cannot choose
    families     the software and the system of a user agent, to be compared
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from logging import WARNING
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from .. import signals
from ..conf import conf
from .current import answering, current_request
from .forwarded import forwarded_entry, read_address, x_forwarded_for_entry

__all__ = [
    "Client",
    "answering",
    "client_of",
    "current_client",
    "current_request",
    "forget",
    "header_of",
    "ip_address_in",
    "ip_address_of",
    "provider_network",
]

MAX_USER_AGENT_LENGTH = 400  # characters
MAX_ENTRY_LENGTH = 60  # characters of an unreadable entry that are logged

# Proxies send these. None of them proves that there is one, because a client can send them too.
# The keys are those of ``request.META``.
PROXY_HEADERS = {
    "HTTP_X_FORWARDED_FOR": "X-Forwarded-For",
    "HTTP_FORWARDED": "Forwarded",
    "HTTP_X_REAL_IP": "X-Real-IP",
    "HTTP_X_FORWARDED_PROTO": "X-Forwarded-Proto",
    "HTTP_X_FORWARDED_HOST": "X-Forwarded-Host",
    "HTTP_CF_CONNECTING_IP": "CF-Connecting-IP",
    "HTTP_VIA": "Via",
}
# By the value of TOKENS_FORWARDED_HEADER.
HEADERS = {
    "x-forwarded-for": ("HTTP_X_FORWARDED_FOR", x_forwarded_for_entry),
    "forwarded": ("HTTP_FORWARDED", forwarded_entry),
}
_NO_ENTRY = (
    "The entry of your outermost proxy is missing or is no IP address, so no limit per address applies "
    "to this client. Let the proxy write the client's address, or correct TOKENS_TRUSTED_PROXIES."
)
_NO_PEER = (
    "The server passes no client address, as over a Unix socket, so no limit per address applies. Set "
    "TOKENS_TRUSTED_PROXIES."
)
_IGNORED = (
    "TOKENS_TRUSTED_PROXIES is 0. If the address is that of a proxy of yours, all clients share it and "
    "its limits: set TOKENS_TRUSTED_PROXIES. Otherwise the client itself sent the header, and there is "
    "nothing to do."
)
_reported: set[str] = set()


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent a request; ``ip_address`` is None where it is not known."""

    ip_address: str | None = None
    user_agent: str = ""

    def is_elsewhere(self, ip_address: str | None, user_agent: str) -> bool:
        """Return whether both the network and the user agent differ from these."""
        same_network = provider_network(self.ip_address) == provider_network(ip_address)
        return not same_network and self.user_agent != user_agent


def client_of(request: HttpRequest | Request) -> Client:
    user_agent = header_of(request, "HTTP_USER_AGENT")
    if not user_agent.isprintable():
        # PostgreSQL raises an error for a NUL in a text column.
        user_agent = "".join(character for character in user_agent if character.isprintable())
    return Client(ip_address=ip_address_of(request), user_agent=user_agent[:MAX_USER_AGENT_LENGTH])


def current_client() -> Client:
    """Return the client of the request that is being answered, an unknown one outside of requests."""
    request = current_request()
    return Client() if request is None else client_of(request)


def ip_address_of(request: HttpRequest | Request) -> str | None:
    return ip_address_in(request.META)


def ip_address_in(meta: Mapping[str, Any], *, report: bool = True) -> str | None:
    """
    Return the caller's IP address in canonical form, or None if it is not known.

    With TOKENS_TRUSTED_PROXIES = n it is the n-th entry of TOKENS_FORWARDED_HEADER from the right,
    which the outermost trusted proxy wrote. A caller can forge every entry to the left of it. If
    that entry holds no address, the connection's is not used in its place: it is the proxy's, and
    all callers would share one limit.

    ``report`` logs, once per process, what shows that the setting does not match the proxies.
    """
    proxies = conf.TOKENS_TRUSTED_PROXIES
    if proxies <= 0:
        address = read_address(_text(meta.get("REMOTE_ADDR")))
        if report:
            _report_without_proxies(meta, address)
        return address
    key, entry_of = HEADERS.get(conf.TOKENS_FORWARDED_HEADER, HEADERS["x-forwarded-for"])
    entry = entry_of(_text(meta.get(key)), proxies)
    address = read_address(entry)
    if report and address is None:
        _report_unknown(PROXY_HEADERS[key], entry, _NO_ENTRY)
    return address


def forget() -> None:
    """Report again what was reported once, as a new process does."""
    _reported.clear()


def _report_without_proxies(meta: Mapping[str, Any], address: str | None) -> None:
    if address is None:
        _report_unknown("", "", _NO_PEER)
    shown = next((header for key, header in PROXY_HEADERS.items() if key in meta), None)
    if shown and _is_first("proxy_header_ignored"):
        signals.log(
            "proxy_header_ignored", level=WARNING, header=shown, address=address, detail=_IGNORED
        )


def _report_unknown(header: str, entry: str, detail: str) -> None:
    if _is_first("client_address_unknown"):
        signals.log(
            "client_address_unknown",
            level=WARNING,
            header=header,
            entry=entry.strip()[:MAX_ENTRY_LENGTH],
            detail=detail,
        )


def _is_first(event: str) -> bool:
    """Return whether this process has not reported the event, and note that it has."""
    is_first = event not in _reported
    _reported.add(event)
    return is_first


def header_of(request: HttpRequest | Request, name: str) -> str:
    return _text(request.META.get(name))


def _text(value: Any) -> str:
    """Return a value of ``request.META`` as text: test clients and servers may set bytes or None."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def provider_network(address: str | None) -> str:
    """Return the network in which a user's address usually changes: an IPv4 /24 or an IPv6 /48."""
    if not address:
        return ""
    parsed = ipaddress.ip_address(address)
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False))

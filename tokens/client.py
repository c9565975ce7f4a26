"""The client of a request: its IP address, user agent and device."""

import ipaddress
from dataclasses import dataclass

from django.http import HttpRequest
from rest_framework.request import Request
from ua_parser import parse as parse_user_agent

from .conf import conf

MAX_USER_AGENT_LENGTH = 400  # characters


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent a request; ``ip_address`` is None where the connection has none."""

    ip_address: str | None = None
    user_agent: str = ""

    def is_elsewhere(self, ip_address: str | None, user_agent: str) -> bool:
        """Return whether both the network and the user agent differ from these."""
        same_network = provider_network(self.ip_address) == provider_network(ip_address)
        return not same_network and self.user_agent != user_agent


def client_of(request: HttpRequest | Request) -> Client:
    user_agent = request.META.get("HTTP_USER_AGENT", "")
    # PostgreSQL raises an error for a NUL in a text column.
    printable = "".join(character for character in user_agent if character.isprintable())
    return Client(ip_address=ip_address_of(request), user_agent=printable[:MAX_USER_AGENT_LENGTH])


def ip_address_of(request: HttpRequest | Request) -> str | None:
    """
    Return the caller's IP address in canonical form, or None if there is none.

    With TOKENS_TRUSTED_PROXIES = n it is the n-th entry of X-Forwarded-For from the right, which
    the outermost trusted proxy wrote. A caller can forge every entry to the left of it.
    """
    addresses = [request.META.get("REMOTE_ADDR", "")]
    if proxies := conf.TOKENS_TRUSTED_PROXIES:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        addresses = [forwarded[-proxies:][0], *addresses]
    for address in addresses:
        try:
            parsed = ipaddress.ip_address(address.strip())
        except ValueError:
            continue
        # A server that listens on IPv6 receives IPv4 addresses as ::ffff:192.0.2.1.
        return str(getattr(parsed, "ipv4_mapped", None) or parsed)
    return None


def device_of(user_agent: str) -> str:
    """Return the browser and system of a user agent, such as ``Firefox on Linux``."""
    parsed = parse_user_agent(user_agent)
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    return " on ".join(filter(None, [browser, system])) or "Unknown device"


def provider_network(address: str | None) -> str:
    """Return the network in which a user's address usually changes: an IPv4 /24 or an IPv6 /48."""
    if not address:
        return ""
    parsed = ipaddress.ip_address(address)
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False))

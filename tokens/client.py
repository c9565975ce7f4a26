"""Who is at the other end of a request: the address and the device."""

import ipaddress
from dataclasses import dataclass

from django.http import HttpRequest
from rest_framework.request import Request
from ua_parser import parse as parse_user_agent

from .conf import conf

MAX_USER_AGENT_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Client:
    """Who is at the other end, as far as the connection tells."""

    ip_address: str | None = None
    user_agent: str = ""


def client_of(request: HttpRequest | Request) -> Client:
    user_agent = request.META.get("HTTP_USER_AGENT", "")
    # A NUL in a text column is an error to PostgreSQL.
    printable = "".join(character for character in user_agent if character.isprintable())
    return Client(ip_address=ip_address_of(request), user_agent=printable[:MAX_USER_AGENT_LENGTH])


def ip_address_of(request: HttpRequest | Request) -> str | None:
    """
    Return the caller's address in its one spelling, None where there is none.

    With TOKENS_TRUSTED_PROXIES = n it is the n-th entry of X-Forwarded-For from the right, the
    last that a proxy of ours wrote; what stands left of it, anybody can have written.
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
        # A server that listens on IPv6 sees IPv4 callers as ::ffff:192.0.2.1.
        return str(getattr(parsed, "ipv4_mapped", None) or parsed)
    return None


def device_of(user_agent: str) -> str:
    """Return a user agent as a person would name it, such as ``Firefox on Linux``."""
    parsed = parse_user_agent(user_agent)
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    return " on ".join(filter(None, [browser, system])) or "Unknown device"

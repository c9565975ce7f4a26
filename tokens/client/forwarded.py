"""
Read the client's address from X-Forwarded-For or Forwarded, in every form that proxies write.

    192.0.2.1  2001:db8::1        nginx, HAProxy, Caddy, Traefik, Cloudflare, AWS, Azure Front Door
    192.0.2.1:51234               Azure Application Gateway; AWS, if it preserves the client's port
    [2001:db8::1]:51234           the same, for IPv6
    ::ffff:192.0.2.1              a proxy that listens on IPv6
    fe80::1%eth0                  a proxy whose client is in the same link
    for="[2001:db8::1]:51234"     an element of Forwarded (RFC 7239)
    unknown  _hidden  unix:       no address: the result is None

Each trusted proxy appends one entry, so both headers are read from the right. A client can write
anything to the left of them, such as a quote that is never closed.
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

_PORT = r"(?::(?:\d{1,5}|_[\w.-]+))?"
_NODE = re.compile(rf"(?:\[([^\[\]]+)\]|([\d.]+)){_PORT}", re.ASCII)
_PAIR = re.compile(
    r"""[ \t]*([\w!#$%&'*+.^`|~-]+)=("(?:[^"\\]|\\.)*"|[^";, \t]*)[ \t]*(?:;|$)""", re.ASCII
)
_ESCAPED = re.compile(r"\\(.)")


@lru_cache(maxsize=256)  # Of few clients at a time; each request asks several times.
def read_address(node: str) -> str | None:
    """
    Return the IP address of ``node`` in canonical form, without port and zone, or None.

    A server that listens on IPv6 receives IPv4 addresses as ``::ffff:192.0.2.1``.
    """
    node = node.strip(" \t")
    if len(node) > 1 and node[0] == node[-1] == '"':
        node = node[1:-1]
    if match := _NODE.fullmatch(node):
        node = match[1] or match[2]
    if ":" in node:
        # PostgreSQL's type for addresses has no zone.
        node = node.partition("%")[0]
    try:
        address = ipaddress.ip_address(node)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def x_forwarded_for_entry(value: str, proxies: int) -> str:
    """Return what the outermost of this many trusted proxies appended to X-Forwarded-For."""
    # The header has no quoting: a quote of the client's must not hide a proxy's comma.
    return value.rsplit(",", proxies)[-proxies:][0]


def forwarded_entry(value: str, proxies: int) -> str:
    """Return ``for`` of the element that the outermost of the trusted proxies appended."""
    *_, element = islice(_elements_from_right(value), proxies)
    found = []
    position = 0
    while position < len(element):
        pair = _PAIR.match(element, position)
        if pair is None:
            return element
        if pair[1].lower() == "for":
            found.append(_unquoted(pair[2]))
        position = pair.end()
    # RFC 7239 §4 allows each parameter once.
    return found[0] if len(found) == 1 else element


def _elements_from_right(value: str) -> Iterator[str]:
    end, is_quoted = len(value), False
    for position in range(len(value) - 1, -1, -1):
        character = value[position]
        if character == '"' and not (is_quoted and _is_escaped(value, position)):
            is_quoted = not is_quoted
        elif character == "," and not is_quoted:
            yield value[position + 1 : end]
            end = position
    yield value[:end]


def _is_escaped(value: str, position: int) -> bool:
    before = value[:position]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text

"""Find the sessions whose sign-in came from a network, by ranges of the index on the address."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.db.models import Q
from django.db.models.functions import Coalesce

from ..operations.tally import first_window

MAX_IN_NETWORK = 500  # rows; for a network with more, only the newest of the list are shown
# The prefix lengths that can be searched: on SQLite, addresses are texts, and prefixes are groups.
IPV4_BITS, IPV6_BITS = (32, 24, 16, 8), (128, 48, 32, 16)
USUAL_BITS = {4: 24, 6: 48}  # the network of an address, as in the mail about a new device

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network_in(text: str) -> Network | None:
    """
    Return the network that a person typed, or None if the text is not a network.

    An address stands for its /24 network, or /48 with IPv6. Other prefix lengths are rounded down to
    those that can be searched.
    """
    address, _slash, bits = text.strip().partition("/")
    try:
        parsed = ipaddress.ip_address(address)
        asked = int(bits) if bits else USUAL_BITS[parsed.version]
    except ValueError:
        return None
    known = IPV4_BITS if parsed.version == 4 else IPV6_BITS
    rounded = next((each for each in known if each <= asked), None)
    if rounded is None or asked > known[0]:
        return None
    version = ipaddress.IPv4Network if parsed.version == 4 else ipaddress.IPv6Network
    return version((int(parsed), rounded), strict=False)


def in_network(network: Network, *, vendor: str, name: str = "ip_address") -> Q:
    """Return the condition that the address is in the network: ranges of the column's index."""
    first, last = network[0], network[-1]
    if network.num_addresses == 1:
        return Q(**{name: str(first)})
    if vendor == "postgresql":
        return Q(**{f"{name}__gte": str(first), f"{name}__lte": str(last)})  # PostgreSQL only
    found = Q(pk__in=[])
    for prefix in _texts(network):
        # The next character: every address with this prefix sorts before it.
        beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found |= Q(**{f"{name}__gte": prefix, f"{name}__lt": beyond})
    return found


def _texts(network: Network) -> Iterator[str]:
    """Yield the prefixes of the texts of the network's addresses."""
    if network.version == 4:
        octets = str(network.network_address).split(".")[: network.prefixlen // 8]
        yield ".".join(octets) + "."
        return
    exploded = network.network_address.exploded.split(":")[: network.prefixlen // 16]
    groups = [f"{int(group, 16):x}" for group in exploded]
    yield ":".join(groups) + ":"
    if groups[-1] == "0":
        # The zeros at the end and those that follow may be written as "::", which stands for two or more.
        while groups and groups[-1] == "0":
            groups.pop()
        yield ":".join(groups) + "::"


def of_network(rows: Any, network: Network, *, order: str) -> tuple[Any, bool]:
    """
    Return those of ``rows`` whose address is in the network, and whether they are complete.

    If there are more than MAX_IN_NETWORK, only the first rows in ``order`` are checked.
    """
    vendor = connections[rows.db].vendor
    wanted = in_network(network, vendor=vendor)
    # In the order of the index, so that the database reads no more rows than the limit.
    first = rows.filter(wanted).order_by("ip_address", "-started_at").values_list("pk", flat=True)
    keys = list(first[: MAX_IN_NETWORK + 1])
    if len(keys) <= MAX_IN_NETWORK:
        return rows.filter(pk__in=keys), True
    found, is_complete = first_window(rows, order)
    # Not the column itself: a planner might use its index, and read and sort the whole network.
    found = found.alias(address=Coalesce("ip_address", "ip_address"))
    return found.filter(in_network(network, vendor=vendor, name="address")), is_complete

"""The networks in which a client's address is counted, from the narrowest to the widest."""

import ipaddress

# The prefixes of the wider networks, and how many times the limit of one caller each may use. An
# attacker who rents a /48 has 65,536 networks of 64 bits.
WIDER_IPV4 = {24: 5}
WIDER_IPV6 = {56: 3, 48: 4}


def network_of(address: str | None) -> str | None:
    """
    Return what counts as one caller: an IPv4 address, or an IPv6 network of 64 bits.

    None for an address that is not known. Do not count such callers together: one of them could
    use up the limit of all, which is the whole site if its proxy writes no address.
    """
    if address is None:
        return None
    parsed = _parse(address)
    # One subscriber has at least a /64, and could use another address for each attempt.
    return str(parsed) if parsed.version == 4 else _network(parsed, 64)


def wider_networks(address: str | None) -> dict[str, int]:
    """Return the wider networks, each with how many times the limit of one caller it may use."""
    if address is None:
        return {}
    parsed = _parse(address)
    prefixes = WIDER_IPV4 if parsed.version == 4 else WIDER_IPV6
    return {_network(parsed, prefix): times for prefix, times in prefixes.items()}


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    parsed = ipaddress.ip_address(address)
    # How a server that listens on IPv6 sees IPv4 callers. They would all share one /64.
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, prefix: int) -> str:
    version = ipaddress.IPv4Network if address.version == 4 else ipaddress.IPv6Network
    return str(version((int(address), prefix), strict=False))

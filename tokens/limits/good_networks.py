"""
The networks from which any user has signed in within 30 days: one row each, in the table of the counts.

While an account's limit is reached, an attempt from such a network is still checked, for every account
(see ``admission``). So the answer does not show from where the owner of the account signs in.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db.models import Q

from .. import clock
from ..conf import conf
from ..database.places import PerPlace
from ..models import EndReason, Session, ThrottleCount
from . import counts
from .networks import network_of

KNOWN_FOR = timedelta(days=30)
# How far behind a row may be, so that a sign-in seldom writes it.
BEHIND = timedelta(days=1)
MOST_REMEMBERED = 10_000
# A network is the user's if one of their last KNOWN_SESSIONS sessions used it within KNOWN_FOR.
KNOWN_SESSIONS = 50

# The networks that this process has written, and when.
_written: PerPlace[dict[str, datetime]] = PerPlace(dict)


def caller_of(network: str) -> str:
    """Return the key of the network's row."""
    return f"good {network}"


def mark(network: str, *, now: datetime) -> None:
    """Store the network as known for KNOWN_FOR."""
    written = _written.of(ThrottleCount)
    if len(written) >= MOST_REMEMBERED:
        written.clear()
    written[network] = now
    counts.keep_until(caller_of(network), now + KNOWN_FOR, now=now, longest=KNOWN_FOR)


def after_use(sender: Any, session: Session, **kwargs: Any) -> None:
    """Mark the network from which a session was started or refreshed."""
    address = session.refreshed_ip_address
    if address is None or not conf.TOKENS_LOGIN_THROTTLE:
        return
    now = clock.now()
    # An IPv4 address is its own network, so most calls end here without parsing it.
    if _is_written(address, now=now):
        return
    network = network_of(address)
    if network is not None and not _is_written(network, now=now):
        mark(network, now=now)


def was_used_by(user: Any, network: str | None, *, now: datetime) -> bool:
    """
    Return whether the user had a session from this network within KNOWN_FOR.

    For None, which stands for no user, the answer is False and takes a query as well.
    """
    # A session that ended for any other reason may have been an attacker's.
    unsuspicious = Q(ended_at=None) | Q(end_reason=EndReason.LOGOUT)
    of_user = Q(pk=uuid4()) if user is None else Q(user=user)
    recent = Session.objects.filter(of_user, unsuspicious, refreshed_at__gt=now - KNOWN_FOR)
    addresses = recent.order_by("-started_at").values_list("ip_address", "refreshed_ip_address")
    return any(
        network_of(address) == network
        for pair in addresses[:KNOWN_SESSIONS]
        for address in pair
        if address
    )


def _is_written(network: str, *, now: datetime) -> bool:
    written = _written.of(ThrottleCount).get(network)
    return written is not None and now - written <= BEHIND


def forget() -> None:
    _written.forget()

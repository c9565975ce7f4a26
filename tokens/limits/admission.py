"""
Who may try to sign in now: the rule that every entry point for passwords shares.

An attempt counts

    before the password is checked   against the client's network and the account that it names
    if the password was wrong        against the wider networks and the whole site as well

A right password gives back nine tenths to the network and everything to the account. While no count
is full, the password alone decides. If the count of the account, of a wider network or of the site is
full, a right password signs in only these users:

    an owner    in a browser or a network from which they have signed in before
    staff       at the admin's page, by attempts that are reserved for it
    a user      whom an operator has admitted for some minutes

A browser from which a user has signed in has a count of its own, also if the network's is full.

Neither the answer nor its time may show whether an account has such an owner. So that does not decide
which attempts are checked: while the count is full, an attempt is checked if any user has signed in
from its network or browser, or, unless a wider network is full, if it is made at the admin's page. Once
the password proved right, all users who are not listed above get the answer of an unchecked attempt.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from itertools import chain, count
from typing import Any

from django.http import HttpRequest

from .. import clock
from ..client import ip_address_of
from ..conf import conf
from ..database import lasting
from ..database.places import PerPlace
from ..errors import TooManyAttempts
from ..models import ThrottleCount
from . import counts, devices, good_networks
from .counts import Charge, Rate, parse_rate
from .devices import Device
from .good_networks import KNOWN_FOR
from .names import account_of
from .networks import network_of, wider_networks

# A right password costs the network a tenth of a wrong one, so that many users behind one address can
# sign in. It still costs something, so that one user cannot fill the table of sessions without limit.
# It costs the account nothing: otherwise the time to wait would show that its owner has signed in.
RIGHT_PASSWORD_COSTS_NETWORK = 0.1
# For how long an operator can admit a user. A row that holds for longer was written before a clock was
# set back.
LONGEST_ADMISSION = timedelta(hours=1)
# An attempt inserts fewer rows. A failed one deletes more, so that the table stays small.
PRUNED_PER_FAILURE = 10
TRIM_EVERY = 100  # failures of this process
# Where TOKENS_ACCOUNT_THROTTLE and TOKENS_LOGIN_THROTTLE are off, but that of the site is on.
DEFAULT_RATE = Rate(10, 60)

# Of this process, in each place.
_failures = PerPlace(partial(count, 1))


class Way(Enum):
    """Why a user with the right password may sign in although a count is full."""

    DEVICE = auto()  # a browser from which they have signed in
    NETWORK = auto()  # a network from which they have signed in
    ADMIN = auto()  # the admin's page, for staff
    ADMITTED = auto()  # an operator, for some minutes


@dataclass(slots=True)
class Admission:
    """
    An attempt that may be checked. Call ``take`` before, and then ``succeeded`` or ``failed``.

    ``wait`` is None if the password alone decides. Otherwise ``lets_in`` decides by ``ways``, and all
    other users have to wait that long.
    """

    now: datetime
    network: str | None = None
    device: Device | None = None
    # Counted before the password is checked, and after it was wrong.
    charges: list[Charge] = field(default_factory=list)
    after_failure: list[Charge] = field(default_factory=list)
    wait: timedelta | None = None
    ways: set[Way] = field(default_factory=set)
    # The callers of the rows by which an operator has admitted the user.
    admitted: list[str] = field(default_factory=list)
    # Whether a sign-in is to be noted as one from this network.
    is_mark_due: bool = False
    pending: bool = True

    def take(self) -> None:
        """Count the attempt as a wrong one. Raises TooManyAttempts if another one came first."""
        counts.take(self.charges, now=self.now)

    def lets_in(self, user: Any) -> bool:
        """Return whether the user whose password proved right may sign in. None means no user."""
        if self.wait is None:
            return user is not None
        # Also for no user, so that the time does not show whether the password was right.
        is_known = Way.NETWORK in self.ways and good_networks.was_used_by(
            user, self.network, now=self.now
        )
        return user is not None and (
            is_known
            or Way.ADMITTED in self.ways
            or (Way.ADMIN in self.ways and bool(getattr(user, "is_staff", False)))
            or (Way.DEVICE in self.ways and self.device is not None and self.device.is_of(user))
        )

    def succeeded(self) -> None:
        """Give back what a right password does not cost."""
        if self.pending:
            self.give_back()
        self.pending = False

    def succeeded_for_good(self) -> None:
        """Do what ``succeeded`` does, also if a transaction that the caller has open is rolled back."""
        if self.pending and (self.charges or self.admitted):
            lasting.do(self.give_back, ThrottleCount)
        self.pending = False

    def give_back(self) -> None:
        """Do what ``succeeded`` does, in a transaction that may still be rolled back."""
        counts.give_back(self.charges)
        if self.is_mark_due and self.network:
            good_networks.mark(self.network, now=self.now)
        if self.admitted:
            counts.forget(self.admitted)

    def failed(self) -> None:
        """Leave the attempt counted in full, and delete some rows of empty counts."""
        if self.pending and (self.charges or self.after_failure):
            counts.add(self.after_failure, now=self.now)
            counts.prune(limit=PRUNED_PER_FAILURE, now=self.now)
            if next(_failures.of(ThrottleCount)) % TRIM_EVERY == 0:
                counts.trim(now=self.now)
        self.pending = False


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows on which an attempt at ``now`` depends: ``clear_at`` of each caller that has one."""

    clear_at: dict[str, int]
    now: datetime

    def wait(self, charges: Iterable[Charge]) -> timedelta | None:
        """Return how long it takes until all of these counts have room, None if they have."""
        known = ((charge, self.clear_at.get(charge.caller)) for charge in charges)
        waits = (counts.wait_for(c, at, now=self.now) for c, at in known if at is not None)
        return max(filter(None, waits), default=None)

    def stands(self, caller: str, *, longest: timedelta, beyond: timedelta = timedelta(0)) -> bool:
        """Return whether a row of ``counts.keep_until`` stands for longer than ``beyond``."""
        clear_at = self.clear_at.get(caller)
        return counts.stands(clear_at, now=self.now, longest=longest, beyond=beyond)


def look(request: HttpRequest | None, *names: str, now: datetime | None = None) -> Admission:
    """
    Return the attempt to sign in by these names, or without one. Nothing is counted yet.

    A backend may look up any of the names, so the attempt counts against each. Raises
    TooManyAttempts if it may not be checked.
    """
    now = now or clock.now()
    address = ip_address_of(request) if request is not None else None
    network, accounts = network_of(address), list(dict.fromkeys(map(account_of, names)))
    account = accounts[0] if accounts else None
    of_network = _charges(
        conf.TOKENS_LOGIN_THROTTLE, network, share_if_right=RIGHT_PASSWORD_COSTS_NETWORK
    )
    of_wider = [
        charge
        for wider, times in wider_networks(address).items()
        for charge in _charges(conf.TOKENS_LOGIN_THROTTLE, wider, times=times)
    ]
    of_account = [
        charge for each in accounts for charge in _charges(conf.TOKENS_ACCOUNT_THROTTLE, each)
    ]
    of_site = _charges(conf.TOKENS_SITE_THROTTLE, "site")
    attempt = Admission(
        now,
        network=network,
        device=devices.find(request) if request is not None else None,
        charges=of_network + of_account,
        after_failure=of_wider + of_site,
    )
    everyones = attempt.charges + attempt.after_failure
    if not everyones:
        return attempt

    ways = _ways(attempt, accounts, is_at_admin=_is_at_admin(request))
    admitted = _admitted(account, network)
    good = good_networks.caller_of(network or "")
    charges = [*everyones, *chain.from_iterable(ways.values())]
    rows = _Rows(counts.read({good, *admitted, *(charge.caller for charge in charges)}), now)

    if of_network:  # Without a limit by network no sign-in writes such rows.
        later = KNOWN_FOR - good_networks.BEHIND
        attempt.is_mark_due = not rows.stands(good, longest=KNOWN_FOR, beyond=later)
        if not rows.stands(good, longest=KNOWN_FOR):
            ways.pop(Way.NETWORK, None)
    attempt.admitted = [
        caller for caller in admitted if rows.stands(caller, longest=LONGEST_ADMISSION)
    ]
    if not attempt.admitted:
        ways.pop(Way.ADMITTED, None)
    attempt.ways = set(ways)
    attempt.wait = rows.wait(everyones)
    if attempt.wait is not None:
        if rows.wait(of_network):
            of_network = []
            ways = _ways_around_the_network(attempt, account, ways)
        elif rows.wait(of_wider):
            # Other clients in those must not prevent the owner from signing in. But at the admin's page each name has a count
            # of its own, so that a caller with a whole network could try any number of names there.
            ways.pop(Way.ADMIN, None)
        ways = {way: own for way, own in ways.items() if not rows.wait(own)}
        if not ways:
            raise TooManyAttempts(attempt.wait)
        attempt.ways = set(ways)
        attempt.charges = [*of_network, *chain.from_iterable(ways.values())]
    return attempt


def admit(name: str, *, address: str | None, until: datetime) -> None:
    """Admit this user until then, with the right password, from ``address`` or from any address."""
    caller = _admitted_caller(account_of(name), network_of(address))
    counts.keep_until(caller, until, now=clock.now(), longest=LONGEST_ADMISSION)


def forget() -> None:
    """Begin to count this process's failures anew."""
    _failures.forget()


def _charges(
    rate: str, caller: str | None, *, times: int = 1, share_if_right: float = 0.0
) -> list[Charge]:
    parsed = parse_rate(rate)
    if parsed is None or caller is None:
        return []
    return [Charge(f"login {caller}", Rate(parsed.limit * times, parsed.period), share_if_right)]


def _ways(attempt: Admission, accounts: list[str], *, is_at_admin: bool) -> dict[Way, list[Charge]]:
    """Return the ways that this attempt may use, each with a count of its own."""
    rate = parse_rate(conf.TOKENS_ACCOUNT_THROTTLE) or parse_rate(conf.TOKENS_LOGIN_THROTTLE)
    rate = rate or DEFAULT_RATE
    ways: dict[Way, list[Charge]] = {}
    if attempt.device:
        ways[Way.DEVICE] = [Charge(attempt.device.caller, rate)]
    if accounts and attempt.network:
        ways[Way.NETWORK] = [Charge(f"known {each} {attempt.network}", rate) for each in accounts]
    if accounts and is_at_admin:
        ways[Way.ADMIN] = [Charge(f"admin {each}", rate) for each in accounts]
    if accounts:
        # Otherwise an attacker who shares the admitted address, or has persuaded the operator to admit
        # theirs, could guess without a limit until the admission ends.
        ways[Way.ADMITTED] = [
            Charge(f"by operator {each} {attempt.network}", rate) for each in accounts
        ]
    return ways


def _ways_around_the_network(
    attempt: Admission, account: str | None, ways: dict[Way, list[Charge]]
) -> dict[Way, list[Charge]]:
    """Return those of the ways that remain although the network's count is full."""
    around = {Way.DEVICE}
    # Not a user who is admitted from any address: every network would then have more attempts.
    if account and attempt.network:
        is_admitted_here = _admitted_caller(account, attempt.network) in attempt.admitted
        around |= {Way.ADMITTED} if is_admitted_here else set()
    return {way: own for way, own in ways.items() if way in around}


def _admitted(account: str | None, network: str | None) -> list[str]:
    """Return the callers of the rows by which an operator admits a user: from anywhere, from here."""
    if account is None:
        return []
    from_anywhere, from_here = (_admitted_caller(account, place) for place in (None, network))
    return [from_anywhere, from_here] if network else [from_anywhere]


def _admitted_caller(account: str, network: str | None) -> str:
    return f"admitted {account} {network}" if network else f"admitted {account}"


def _is_at_admin(request: HttpRequest | None) -> bool:
    match = getattr(request, "resolver_match", None)
    return match is not None and "admin" in match.app_names

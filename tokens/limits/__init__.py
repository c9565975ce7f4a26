"""
Who may try to sign in, how often, and how attempts are counted.

Read ``admission`` first. How an attempt over the limit is answered belongs in ``api``. May import
sessions and the packages below it.

    admission        who may try to sign in now, also while others guess the password
    sign_in          check a password within the limits
    passwords        the limit where a signed-in user's password is asked for again
    in_flight        how many passwords this process checks at once
    counts           rates, and the count of each caller in the database
    networks         the networks in which an address is counted
    names            the name in the credentials, and its key in the counts
    good_networks    the networks from which any user has signed in within 30 days
    devices          the cookie of a browser from which a user has signed in
"""

from . import admission, devices, good_networks, in_flight, passwords, sign_in
from .counts import parse_rate, prunable
from .networks import network_of

__all__ = [
    "admission",
    "devices",
    "forget",
    "good_networks",
    "in_flight",
    "network_of",
    "parse_rate",
    "passwords",
    "prunable",
    "sign_in",
]


def forget() -> None:
    """Forget what this process remembers, as a new process does."""
    admission.forget()
    good_networks.forget()
    in_flight.forget()

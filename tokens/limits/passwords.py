"""The limit where a signed-in user's password is asked for again, such as to change it."""

from hashlib import sha256
from typing import Any

from .. import clock
from ..conf import conf
from ..errors import TooManyAttempts
from . import counts
from .counts import Charge, parse_rate


def take(user: Any) -> None:
    """
    Count an attempt at the user's password, by the rate of TOKENS_ACCOUNT_THROTTLE.

    Otherwise a person who uses a stolen session could guess it. The count is not that of sign-ins,
    which strangers can fill. Raises TooManyAttempts.
    """
    rate = parse_rate(conf.TOKENS_ACCOUNT_THROTTLE)
    if rate is None:
        return
    now = clock.now()
    # A key may be longer than the table's column.
    key = sha256(str(user.pk).encode()).hexdigest()[:32]
    charges = [Charge(f"password {key}", rate)]
    for wait in counts.waits(charges, now=now).values():
        raise TooManyAttempts(wait)
    counts.take(charges, now=now)

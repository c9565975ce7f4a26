"""``manage.py admit``: let a user sign in although the limits refuse them."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from ... import clock, signals
from ...client.forwarded import read_address
from ...limits import admission
from ...operations.users import find_users
from ..base import OperatorCommand, whole_number

LONGEST = admission.LONGEST_ADMISSION // timedelta(minutes=1)
DEFAULT = 10


class Command(OperatorCommand):
    help = (
        "Admit a user to the sign-in while others guess the password and the limits refuse every attempt. "
        "The password is still required. The admission ends with the first sign-in, or after some minutes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the username or email address, as the user types it")
        parser.add_argument(
            "--address",
            type=_address,
            help="only from this IP address (IPv6: from its /64). Give it if you know it: without it, "
            "guesses of other clients are checked too, within the limits of each network",
        )
        parser.add_argument(
            "--minutes",
            type=partial(whole_number, most=LONGEST),
            default=DEFAULT,
            metavar="N",
            help=f"for how long, 1 to {LONGEST} (default: {DEFAULT})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, address, minutes = options["name"], options["address"], options["minutes"]
        keys = find_users(name)
        if not keys:
            raise CommandError(f"There is no user {name!r}. Nothing was changed.")
        until = clock.now() + timedelta(minutes=minutes)
        admission.admit(name, address=address, until=until)
        for key in keys:
            signals.log("user_admitted", user=key, address=address, until=until.isoformat())
        place = f"from {address}" if address else "from anywhere"
        self.stdout.write(
            f"{name} may sign in {place} until {until:%H:%M:%S} UTC, with the right password and once."
        )
        if address is None:
            self.stderr.write(
                "Until then the password can be guessed from any address, within the limits of each "
                "network. Use --address to admit the user from one address only.",
                style_func=self.style.WARNING,
            )


def _address(text: str) -> str:
    address = read_address(text)
    if address is None:
        raise ArgumentTypeError(f"{text!r} is not an IP address.")
    return address

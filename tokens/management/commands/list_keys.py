"""``manage.py list_keys``: list the signing keys, without secrets."""

from argparse import ArgumentParser
from typing import Any

from ... import clock, keyring
from ...models import SigningKey
from ...operations.tally import WINDOW, live_by_key
from ...operations.wording import utc
from ..base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "List the signing keys: the state of each and since when, until when it verifies, how many "
        "live sessions have a refresh token signed by it, and from when it can be removed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        sessions, exact = live_by_key(now=clock.now())
        order = SigningKey.State.values
        rows = sorted(
            SigningKey.objects.order_by("-created_at"), key=lambda row: order.index(row.state)
        )
        keys = [
            {
                "kid": row.kid,
                "alg": row.algorithm,
                "state": row.state,
                "since": utc(row.state_since),
                "verifies_until": utc(row.verifies_until),
                "live_sessions": sessions.get(row.kid, 0),
                "safe_to_remove": utc(keyring.removable_at(row)),
            }
            for row in rows
        ]
        if options["json"]:
            self.print_json({"keys": keys, "counted_sessions": None if exact else WINDOW})
            return
        if not keys:
            self.stdout.write('No key exists. Run "manage.py migrate" to create the first one.')
            return
        self.print_table(
            [name.replace("_", " ").upper() for name in keys[0]],
            [["-" if v is None else str(v) for v in key.values()] for key in keys],
        )
        if not exact:
            self.stdout.write(
                f"LIVE SESSIONS counts only those among the newest {WINDOW:,} sessions."
            )

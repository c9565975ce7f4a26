"""
``python -m tests.open_connections.users COUNT``: sign in that many users, and then do what each line says.

Prints one line of JSON with the access tokens as its ``result``, and one for each command. Before it, lines
with ``done`` tell how far it is.

    revoke FIRST LAST   end these sessions as staff does, one after the other; when each began, by the
                        monotonic clock
    refresh FIRST LAST  refresh these sessions; how many were answered
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import django

PAUSE = 0.05  # seconds between two revocations
TOLD_EVERY = 100
T = TypeVar("T")


def tell(**found: Any) -> None:
    print(json.dumps(found), flush=True)


def counted(things: Iterable[T]) -> Iterator[T]:
    """Yield these, and tell how many were done."""
    for done, thing in enumerate(things):
        if done % TOLD_EVERY == 0:
            tell(done=done)
        yield thing


def main() -> None:
    django.setup()

    from django.contrib.auth import get_user_model

    from tokens import keyring, sessions
    from tokens.models import Session
    from tokens.secret import hide
    from tokens.sessions import EndReason

    keyring.ensure()
    count = int(sys.argv[1])
    users = get_user_model().objects.bulk_create(
        [
            get_user_model()(username=f"user-{number}", email=f"{number}@example.org")
            for number in range(count)
        ],
        batch_size=1000,
    )
    pairs = [sessions.start(user) for user in counted(users)]
    sids = [sessions.find_by_refresh_token(hide(pair.raw_refresh)).claims.sid for pair in pairs]
    tell(result=[pair.raw_access for pair in pairs])
    for line in sys.stdin:
        command, *words = line.split()
        numbers = range(*map(int, words))
        if command == "revoke":
            began = {}
            for number in counted(numbers):
                began[number] = time.monotonic()
                rows = Session.objects.filter(pk=sids[number])
                sessions.end(rows, reason=EndReason.REVOKED)
                time.sleep(PAUSE)
            tell(result=began)
        else:
            for number in counted(numbers):
                pairs[number] = sessions.refresh(hide(pairs[number].raw_refresh))
            tell(result=len(numbers))


if __name__ == "__main__":
    main()

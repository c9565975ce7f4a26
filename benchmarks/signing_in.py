"""Sign a user in at even intervals until standard input ends, then print when and how long."""

import gc
import json
import sys
import threading
import time
from contextlib import suppress

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.db import OperationalError  # noqa: E402

from . import peers  # noqa: E402


def main(contender: str, how: str, interval: str) -> None:
    user = get_user_model().objects.get(username="ada")
    if how == "with Argon2":
        sign_in = peers.signing_in_with_password(contender, user.username)
    else:
        sign_in = peers.signing_in(contender, user)
    for _ in range(3):
        sign_in()
    gc.collect()
    gc.freeze()
    ended = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print("ready", flush=True)
    waits: list[tuple[float, float]] = []
    due = time.time()
    while not ended.is_set():
        time.sleep(max(0.0, due - time.time()))
        with suppress(OperationalError):  # "database is locked" fails at once.
            sign_in()
        done = time.time()
        # A sign-in that came due meanwhile would have waited in another process too. Without these,
        # a stall of seconds would count as one slow sign-in.
        while due < done:
            waits.append((due, done - due))
            due += float(interval)
    print(json.dumps(waits))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""
A race: processes whose threads, each with its own connection, all call a verb at once.

Loads Django once, forks a process for each verb, releases all threads when each has connected, and
prints every thread's result as one line of JSON.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import django
from django.db import connection


def refresh(raw_refresh: str) -> str:
    from tokens import sessions

    return sessions.refresh(raw_refresh).raw_refresh


def end(raw_refresh: str) -> str:
    from tokens import sessions

    sessions.revoke(raw_refresh)
    return "ended"


def rotate(_: str) -> str:
    from tokens import keyring
    from tokens.keyring import ring

    # A loaded machine starts some threads more than a second later than the first.
    ring.SIGNER_MAX_AGE = 60.0
    keyring.rotate(keyring.plan_rotation())
    return "rotated"


def guess(same: str) -> str:
    """Ask to try a password. Callers have different addresses and accounts, except for ``same``."""
    from django.conf import settings
    from django.test import RequestFactory

    from tokens.limits import sign_in

    settings.TOKENS_LOGIN_THROTTLE = "10/hour"
    own = f"{os.getpid()}-{threading.get_ident()}"
    address = "192.0.2.1" if same == "address" else f"2001:db8:{hash(own) & 0xFFFF:x}::1"
    name = "ada" if same == "account" else f"user-{own}"
    sign_in.admit(RequestFactory().post("/", REMOTE_ADDR=address), name)
    return "admitted"


def sign_in(_: str) -> str:
    from django.conf import settings
    from django.test import RequestFactory

    from tokens.limits import sign_in

    settings.TOKENS_LOGIN_THROTTLE = "500/hour"
    admission = sign_in.admit(RequestFactory().post("/", REMOTE_ADDR="192.0.2.1"), "ada")
    admission.succeeded()
    return "signed in"


VERBS: dict[str, Callable[[str], str]] = {
    "refresh": refresh,
    "end": end,
    "rotate": rotate,
    "guess": guess,
    "sign_in": sign_in,
}


def main(verbs: list[str], raw_token: str, threads: int) -> None:
    started, start = os.pipe()
    connected, connect = os.pipe()
    readers = []

    def wait_for_start() -> None:
        os.write(connect, b".")
        os.read(started, 1)  # Returns when the first process has closed the other end.

    for verb in verbs:
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(start)
            with os.fdopen(writer, "w") as out:
                json.dump(run_threads(verb, raw_token, threads, wait_for_start), out)
            return
        os.close(writer)
        readers.append(reader)
    for _ in verbs:
        os.read(connected, 1)
    os.close(start)
    answers = []
    for reader in readers:
        with os.fdopen(reader) as lines:
            answers += json.load(lines)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
    print(json.dumps(answers))  # noqa: T201


def run_threads(
    verb: str, raw_token: str, threads: int, wait_for_start: Callable[[], None]
) -> list[str]:
    barrier = Barrier(threads, action=wait_for_start)

    def run(_: int) -> str:
        connection.ensure_connection()
        barrier.wait(timeout=300)
        try:
            return VERBS[verb](raw_token)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1].split(","), sys.argv[2], int(sys.argv[3]))

"""
A race: processes whose threads, each with its own connection, all call a verb at once.

Loads Django once, forks a process for each verb, releases all threads when each has connected, and
prints every thread's result as one line of JSON.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import django
from django.db import DatabaseError, connection


def refresh(raw_refresh: str) -> str:
    from tokens import sessions

    return sessions.refresh(raw_refresh).raw_refresh


def arefresh(raw_refresh: str) -> str:
    from asgiref.sync import async_to_sync

    from tokens import sessions

    return async_to_sync(sessions.arefresh)(raw_refresh).raw_refresh


def arefresh_at_once(raw_refresh: str) -> str:
    """Refresh ten times at once on an event loop of this thread."""
    from asgiref.sync import async_to_sync

    from tokens import sessions

    async def refresh_all() -> set[str]:
        calls = (sessions.arefresh(raw_refresh) for _ in range(10))
        return {pair.raw_refresh for pair in await asyncio.gather(*calls)}

    return " ".join(async_to_sync(refresh_all)())


def end(raw_refresh: str) -> str:
    from tokens import sessions

    sessions.revoke(raw_refresh)
    return "ended"


def aend(raw_refresh: str) -> str:
    from asgiref.sync import async_to_sync

    from tokens import sessions

    async_to_sync(sessions.arevoke)(raw_refresh)
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

    from tokens.limits import admission

    settings.TOKENS_LOGIN_THROTTLE = "10/hour"
    own = f"{os.getpid()}-{threading.get_ident()}"
    address = "192.0.2.1" if same == "address" else f"2001:db8:{hash(own) & 0xFFFF:x}::1"
    name = "ada" if same == "account" else f"user-{own}"
    admission.look(RequestFactory().post("/", REMOTE_ADDR=address), name).take()
    return "admitted"


def sign_in(_: str) -> str:
    from django.conf import settings
    from django.test import RequestFactory

    from tokens.limits import admission

    settings.TOKENS_LOGIN_THROTTLE = "500/hour"
    attempt = admission.look(RequestFactory().post("/", REMOTE_ADDR="192.0.2.1"), "ada")
    attempt.take()
    attempt.succeeded()
    return "signed in"


def redeem(raw_ticket: str) -> str:
    from tokens import clock
    from tokens.secret import Secret
    from tokens.tickets import issuing

    issuing.redeem(Secret(raw_ticket), method="GET", path="/", now=clock.now())
    return "redeemed"


def take_indices(_: str) -> str:
    from django.db import transaction
    from django.utils import timezone

    from tokens.status_list import indices

    now, given = timezone.now(), []
    for turn in range(40):
        if turn % 2:
            given.append(indices.take(until=now, now=now))
        else:
            with transaction.atomic():
                given.append(indices.take(until=now, now=now))
    return " ".join(map(str, given))


VERBS: dict[str, Callable[[str], str]] = {
    "refresh": refresh,
    "arefresh": arefresh,
    "arefresh_at_once": arefresh_at_once,
    "end": end,
    "aend": aend,
    "redeem": redeem,
    "rotate": rotate,
    "guess": guess,
    "sign_in": sign_in,
    "take_indices": take_indices,
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
            try:
                answers = run_threads(verb, raw_token, threads, wait_for_start)
            except (DatabaseError, BrokenBarrierError):
                os.write(connect, b"!")
                raise
            with os.fdopen(writer, "w") as out:
                json.dump(answers, out)
            return
        os.close(writer)
        readers.append(reader)
    for _ in verbs:
        if os.read(connected, 1) != b".":
            sys.exit("A thread could not connect to the database, so there is no race.")
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
        try:
            connection.ensure_connection()
        except DatabaseError:
            barrier.abort()
            raise
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

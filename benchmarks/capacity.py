"""Measure the load that one PostgreSQL server carries: `make capacity`."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import django

PROCESSES = int(os.environ.get("PROCESSES") or 4)
SECONDS = float(os.environ.get("SECONDS") or 5)
ROUNDS = int(os.environ.get("ROUNDS") or 3)
DATABASE = "latchkey_capacity"
SESSIONS = 200  # per process, refreshed in turn
REFRESH_AND_USE = "refresh, then use the pair"
UNRECORDED = "the same, without recording that it was used"
OPERATIONS = [
    "sign-in, without the hash",
    "refresh",
    REFRESH_AND_USE,
    UNRECORDED,
    "revocation",
    "strict request",
    "snapshot reading",
]


def main() -> None:
    """Run each operation in every process for SECONDS, and print its rate, latency and cost."""
    from .__main__ import describe, execute, fresh_postgres, postgres_answers
    from .processes import environment

    if not postgres_answers():
        sys.exit(1)
    # The worker processes inherit it.
    os.environ.update(environment(fresh_postgres(DATABASE)))
    django.setup()
    from django.core.management import call_command

    from . import data

    call_command("migrate", verbosity=0)
    data.make_users()
    machine = describe()
    print(f"{machine['processor']}, {machine['memory']}, {machine['system']}; {PROCESSES} clients")
    print("| | per second | p50 | p99 | statements | of the database's CPU | clients' CPU | WAL |")
    print("|---|---|---|---|---|---|---|---|")
    per_second = {}
    for operation in OPERATIONS:
        data.analyze()
        rounds = [_round(operation) for _ in range(ROUNDS)]
        per_second[operation] = median(one["per_second"] for one in rounds)
        print(_row(operation, rounds), flush=True)
    share = per_second[REFRESH_AND_USE] / per_second[UNRECORDED]
    print(f"Recording what was used leaves {share:.2f} of the refreshes per second.")
    django.db.connections.close_all()
    execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _round(operation: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.capacity", operation]
    workers = [
        subprocess.Popen(
            [*command, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    _hear(workers)  # Wait until each worker is ready.
    backends, wal = _backends(), _wal()
    cpu = _cpu(backends)
    _say(workers)
    told = [json.loads(line) for line in _hear(workers)]
    count = sum(one["count"] for one in told)
    measured = {
        "per_second": sum(one["count"] / one["seconds"] for one in told),
        "p50": median(one["p50"] for one in told),
        "p99": max(one["p99"] for one in told),
        "statements": told[0]["statements"],
        "database_cpu": (_cpu(backends) - cpu) / count,
        "clients_cpu": sum(one["cpu"] for one in told) / count,
        "wal": (_wal() - wal) / count,
    }
    _say(workers)
    for worker in workers:
        worker.communicate()
    return measured


def _say(workers: list[Any]) -> None:
    for worker in workers:
        worker.stdin.write("go on\n")
        worker.stdin.flush()


def _hear(workers: list[Any]) -> list[str]:
    return [worker.stdout.readline() for worker in workers]


def _row(operation: str, rounds: list[dict[str, float]]) -> str:
    def middle(name: str) -> float:
        return median(one[name] for one in rounds)

    # The server counts the WAL of all databases, so the smallest round is the most accurate.
    wal = min(one["wal"] for one in rounds)
    cells = [
        f"{middle('per_second'):,.0f}",
        f"{middle('p50') * 1e3:.2f} ms",
        f"{middle('p99') * 1e3:.1f} ms",
        f"{middle('statements'):.0f}",
        f"{middle('database_cpu') * 1e6:.0f} µs",
        f"{middle('clients_cpu') * 1e6:.0f} µs",
        f"{wal:,.0f} bytes",
    ]
    return f"| {operation} | {' | '.join(cells)} |"


def _query(sql: str) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _wal() -> float:
    return float(_query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")[0][0])


def _backends() -> list[int]:
    """Return the pids of the clients' server processes, or none if the server is remote."""
    rows = _query(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )
    return [pid for (pid,) in rows if Path(f"/proc/{pid}/stat").exists()]


def _cpu(pids: list[int]) -> float:
    """Return the CPU seconds that these processes have used so far."""
    ticks = 0
    for pid in pids:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def work(operation: str, number: int) -> None:
    """Repeat the operation for SECONDS, and print the measurements as JSON."""
    django.setup()
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    users = list(get_user_model().objects.order_by("pk")[number::PROCESSES])
    calls = _calls(operation, users)
    for _ in range(20):
        next(calls)()
    with CaptureQueriesContext(connection) as captured:
        next(calls)()
    print("ready", flush=True)
    sys.stdin.readline()
    latencies = []
    began, cpu = time.perf_counter(), _own_cpu()
    for call in calls:
        at = time.perf_counter()
        call()
        latencies.append(time.perf_counter() - at)
        if time.perf_counter() - began > SECONDS:
            break
    cuts = quantiles(latencies, n=100)
    told = {
        "count": len(latencies),
        "seconds": time.perf_counter() - began,
        "p50": cuts[49],
        "p99": cuts[98],
        "cpu": _own_cpu() - cpu,
        "statements": len(captured),
    }
    print(json.dumps(told), flush=True)
    sys.stdin.readline()


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _calls(operation: str, users: list[Any]) -> Iterator[Callable[[], Any]]:
    from django.conf import settings
    from django.db import router
    from django.utils import timezone

    from tokens import sessions
    from tokens.models import DeniedToken, EndReason
    from tokens.sessions import seen
    from tokens.snapshot.copy import Copy

    # Each refresh rotates. Otherwise a session rotates once in thirty seconds.
    settings.TOKENS_REFRESH_GRACE = timedelta(0)
    if operation == UNRECORDED:
        seen._notes.add = lambda *_: None  # type: ignore[method-assign]
    in_turn = cycle(users)
    if operation == "sign-in, without the hash":
        for user in in_turn:
            yield partial(sessions.start, user)
    elif operation == "revocation":
        # Start as many sessions as the run can need before the clock starts.
        pairs = [sessions.start(next(in_turn)) for _ in range(int(SECONDS * 500) + 50)]
        for pair in pairs:
            yield partial(sessions.end, [pair.session], reason=EndReason.REVOKED)
    elif operation == "snapshot reading":
        copy, alias = Copy(), router.db_for_write(DeniedToken)
        while True:
            yield lambda: copy._read(alias, now=timezone.now())
    pairs = [sessions.start(next(in_turn)) for _ in range(SESSIONS)]
    held = cycle([pair.raw_access for pair in pairs])
    raw_refresh = [pair.raw_refresh for pair in pairs]
    while operation == "strict request":
        yield lambda: sessions.authenticate(next(held))
    uses = operation in {REFRESH_AND_USE, UNRECORDED}
    for place in cycle(range(SESSIONS)):
        yield partial(_refresh, raw_refresh, place, uses=uses)


def _refresh(raw_refresh: list[str], place: int, *, uses: bool) -> None:
    from tokens import sessions

    pair = sessions.refresh(raw_refresh[place])
    raw_refresh[place] = pair.raw_refresh
    if uses:
        sessions.authenticate(pair.raw_access)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work(sys.argv[1], int(sys.argv[2]))
    else:
        main()

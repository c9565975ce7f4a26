"""
Compare what one authentication costs in two environments, such as with Django 5.2 and with 6.1.

``python -m benchmarks.versions PYTHON OTHER_PYTHON`` prints the ratio of the CPU times, the other to
the first, and exits with 1 if it is above LIMIT. Both interpreters run all the time and are measured
in turn, so a busy machine is busy for both. ``nox -s versions`` makes the environments.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from .measure import spread

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "60"))
CALLS = 200  # in one round
LIMIT = 1.3


def main(first: str, other: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        workers = [Worker(python, f"{folder}/{n}") for n, python in enumerate((first, other))]
        try:
            names = [worker.call("versions") for worker in workers]
            print(f"{names[1]} compared with {names[0]}, CPU time per call:")
            ratio = compare("authenticate", workers)
            compare("GET /api/me/", workers)
            return int(ratio > LIMIT)
        finally:
            for worker in workers:
                worker.stop()


def compare(what: str, workers: "list[Worker]") -> float:
    """Print both times and their ratio, and return the median of the ratios of the rounds."""
    times: list[list[float]] = [[], []]
    for turn in range(ROUNDS):
        for n in (0, 1) if turn % 2 else (1, 0):
            times[n].append(workers[n].call(what))
    ratios = [other / one for one, other in zip(*times, strict=True)]
    middle, lower, upper = spread(ratios)
    micros = [f"{median(own) * 1e6:.0f} µs" for own in times]
    print(f"  {what:13} {micros[0]} → {micros[1]}: {middle:.2f} ({lower:.2f} to {upper:.2f})")
    return middle


class Worker:
    """A process of one interpreter that measures when it is told to."""

    def __init__(self, python: str, folder: str) -> None:
        os.mkdir(folder)
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.versions"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "DATABASE_URL": f"sqlite:///{folder}/database.sqlite3",
            },
        )

    def call(self, what: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.communicate()


def work() -> None:
    """Answer each line of the standard input: with the versions, or the seconds of one call."""
    import django

    django.setup()

    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import RequestFactory
    from rest_framework.views import APIView

    from tokens import sessions
    from tokens.api.me_views import MeView
    from tokens.authentication import JWTAuthentication
    from tokens.conf import conf
    from tokens.database import compiled_sql

    assert conf.TOKENS_DENYLIST_MODE == "strict"
    logging.getLogger("tokens").setLevel("ERROR")
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("ada", "ada@example.org", "secret")
    pair = sessions.start(user)
    raw = RequestFactory().get("/api/me/", headers={"Authorization": f"Bearer {pair.raw_access}"})
    request = APIView().initialize_request(raw)
    authentication = JWTAuthentication()
    calls: dict[str, Callable[[], Any]] = {
        "authenticate": lambda: authentication.authenticate(request),
        "GET /api/me/": lambda: MeView.as_view()(raw).render(),
    }
    for call in calls.values():
        for _ in range(CALLS):
            assert call()
    assert all(statement is not None for _, statement in compiled_sql._compiled.values())
    for line in sys.stdin:
        what = line.strip()
        if what == "versions":
            python = ".".join(map(str, sys.version_info[:3]))
            print(json.dumps(f"Django {django.__version__} on Python {python}"), flush=True)
        else:
            print(json.dumps(seconds(calls[what])), flush=True)


def seconds(call: Callable[[], Any]) -> float:
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) / CALLS


if __name__ == "__main__":
    if len(sys.argv) == 1:
        work()
    else:
        sys.exit(main(*sys.argv[1:]))

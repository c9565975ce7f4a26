"""Measure over HTTP: the project under gunicorn in each mode, and clients in this process."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import quantiles
from typing import Any

from django.db import connection

from tokens import sessions

from . import peers
from .http import Server, status_of
from .measure import ROUNDS as ALL_ROUNDS
from .measure import Timings

ROUNDS = min(ALL_ROUNDS, 10)
SECONDS = 0.5  # for each contender in each round
CONNECTIONS = 4


def rows(user: Any) -> dict[str, Timings]:
    """Return seconds per request (one over the throughput), p50 and p99 of the latency."""
    headers = peers.credentials(user)
    connection.close()
    timings: dict[str, Timings] = {
        "HTTP, seconds per request": {},
        "HTTP, p50": {},
        "HTTP, p99": {},
        "revoked to refused, two processes": {},
        "the project over HTTP, seconds per request": {},
    }
    with serving("strict", workers=1) as strict, serving("snapshot", workers=1) as snapshot:
        targets = {
            name: (strict, f"/who/{name}/", headers[name])
            for name in ("none", "latchkey", "simplejwt", "simplejwt-stateless", "knox")
        }
        targets["snapshot"] = (snapshot, "/who/latchkey/", headers["latchkey"])
        for turn in range(ROUNDS + 1):
            for name, (server, path, header) in targets.items():
                message = server.message("GET", path, header)
                elapsed, latencies = _load(server, message)
                if turn:  # The first round only warms up.
                    cuts = quantiles(latencies, n=100)
                    for row, value in zip(
                        list(timings)[:3],
                        (elapsed / len(latencies), cuts[49], cuts[98]),
                        strict=True,
                    ):
                        timings[row].setdefault(name, []).append(value)
    timings["the project over HTTP, seconds per request"] = _projects(headers)
    for mode in ("strict", "snapshot"):
        with serving(mode, workers=2) as server:
            name = "latchkey" if mode == "strict" else mode
            timings["revoked to refused, two processes"][name] = [
                _until_refused(server, user) for _ in range(ROUNDS)
            ]
    return timings


def _projects(headers: Mapping[str, str]) -> Timings:
    """Return the seconds per request of this project and of a bare one, each as it is served."""
    timings: Timings = {}
    ours = serving("strict", workers=1, settings="tests.settings", conf="config.gunicorn_conf")
    with ours as project, serving("strict", workers=1, settings="benchmarks.bare") as bare:
        targets = {"latchkey": (project, "latchkey"), "simplejwt": (bare, "simplejwt")}
        for turn in range(ROUNDS + 1):
            for name, (server, credential) in targets.items():
                message = server.message("GET", "/api/me/", headers[credential])
                elapsed, latencies = _load(server, message)
                if turn:  # The first round only warms up.
                    timings.setdefault(name, []).append(elapsed / len(latencies))
    return timings


def _load(server: Server, message: bytes) -> tuple[float, list[float]]:
    latencies: list[float] = []
    until = time.perf_counter() + SECONDS

    def client() -> None:
        with server.connect() as link:
            while (began := time.perf_counter()) < until:
                status = status_of(link, message)
                latencies.append(time.perf_counter() - began)
                assert status == 200, status

    began = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, latencies


def _until_refused(server: Server, user: Any) -> float:
    """Return the seconds from the answer to a revocation until the last accepted request."""
    pair = sessions.start(user)
    connection.close()
    request = server.message("GET", "/who/latchkey/", f"Bearer {pair.raw_access}")
    # A new connection for each request, so that either process may answer.
    for _ in range(20):
        with server.connect() as link:
            assert status_of(link, request) == 200
    with server.connect() as link:
        body = f'{{"token": "{pair.raw_refresh}"}}'
        assert status_of(link, server.message("POST", "/api/token/revoke/", "", body)) == 200
    revoked = time.perf_counter()
    last_let_in, refused = 0.0, 0
    while refused < 100:
        with server.connect() as link:
            if status_of(link, request) == 200:
                last_let_in, refused = time.perf_counter() - revoked, 0
            else:
                refused += 1
    return last_let_in


@contextmanager
def serving(
    mode: str, *, workers: int, settings: str = "benchmarks.settings", conf: str = ""
) -> Iterator[Server]:
    """Serve ``config.wsgi`` with these settings under gunicorn, with ``conf`` if it is given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(workers), "--threads", str(CONNECTIONS), "--log-level", "error"]
    if conf:
        command += ["-c", f"python:{conf}"]
    process = subprocess.Popen(
        command,
        env={**os.environ, "BENCH_DENYLIST_MODE": mode, "DJANGO_SETTINGS_MODULE": settings},
        stdout=subprocess.DEVNULL,  # The access log is written.
    )
    server = Server(port)
    try:
        _wait(server)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(server: Server) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with server.connect() as link:
                status_of(link, server.message("GET", "/readyz", ""))
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)

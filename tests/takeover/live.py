"""
A switch under load, and back: clients call and refresh while the server is replaced by ours.

Half of the clients keep each refresh token that an answer has; the others keep their first one, as
djangorestframework-simplejwt's default allows.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from tests.support.processes import PATIENCE, ROOT

from .front import Front, server
from .running import environments, run

WORKERS = 16
ACCESS = 4  # seconds; so that each client refreshes in each phase


@dataclass(eq=False)
class LiveClient:
    name: str
    access: str
    refresh: str
    keeps: bool
    first: str = ""
    signed_out: bool = False

    def holds_ours(self) -> bool:
        """Return whether its refresh token is one that the former site does not know."""
        return self.refresh != self.first


@dataclass
class Load:
    """The clients, each of whom one worker drives at a time, and what they have been answered."""

    port: int
    clients: list[LiveClient]
    seen: Counter[str] = field(default_factory=Counter)
    phase: str = ""
    wrong: list[str] = field(default_factory=list)

    def run(self, worker: int, stopped: threading.Event) -> None:
        mine = self.clients[worker::WORKERS]
        while not stopped.is_set():
            for client in mine:
                if not client.signed_out and not stopped.is_set():
                    try:
                        self.step(client)
                    except OSError as error:
                        self.wrong.append(f"{self.phase}: {error!r}")

    def step(self, client: LiveClient) -> None:
        if self.call(client) == 200:
            return
        phase = self.phase
        status, body = self.ask("POST", "/api/token/refresh/", {"refresh": client.refresh})
        self.seen[f"{phase}: refresh {status}"] += 1
        if status == 200:
            client.access = body["access"]
            if client.keeps:
                client.refresh = body.get("refresh", client.refresh)
            self.call(client)
        elif status == 401:
            client.signed_out = True
        else:
            self.wrong.append(f"{phase}: a refresh was answered {status}")

    def call(self, client: LiveClient) -> int:
        status, body = self.ask("GET", "/api/whoami/", None, client.access)
        self.seen[f"{self.phase}: call {status}"] += 1
        if status not in {200, 401} or (status == 200 and body["username"] != client.name):
            self.wrong.append(f"{self.phase}: a call was answered {status}")
        return status

    def ask(self, method: str, path: str, body: Any, raw_access: str = "") -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Content-Type": "application/json", "Connection": "close"}
        if raw_access:
            headers["Authorization"] = f"Bearer {raw_access}"
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if answer.status < 500 else None

    def wait_for_refreshes(self, refreshes: int) -> None:
        """Wait until the clients have refreshed so often in this phase."""
        deadline = time.monotonic() + PATIENCE
        name = f"{self.phase}: refresh"
        while sum(count for key, count in self.seen.copy().items() if key.startswith(name)) < (
            refreshes
        ):
            assert time.monotonic() < deadline, (self.phase, self.seen, self.wrong[:5])
            time.sleep(0.1)


def switch_and_return(database_url: str, *, clients: int) -> dict[str, Any]:
    """Run the story. Raise AssertionError if anybody was signed out who should not be."""
    with environments(database_url, "hs256") as (former, ours):
        for served in (former, ours):
            served |= {"TAKEOVER_ACCESS": str(ACCESS), "TAKEOVER_OUR_ACCESS": str(ACCESS)}
        held = json.loads(run("begin", str(clients * 5 // 4 + 10), served=former))
        good = [person for person in held if person["state"] == "good"][:clients]
        people = [
            LiveClient(
                person["name"], person["access"], person["refresh"], n % 2 == 0, person["refresh"]
            )
            for n, person in enumerate(good)
        ]
        assert len(people) == clients
        _manage(ours, "migrate")
        front = Front()
        load, stopped = Load(front.port, people), threading.Event()
        with server(former) as former_port, server(ours) as our_port:
            front.target, load.phase = former_port, "before"
            workers = [threading.Thread(target=load.run, args=(n, stopped)) for n in range(WORKERS)]
            for worker in workers:
                worker.start()
            try:
                load.wait_for_refreshes(clients)
                _manage(ours, "switch_from_simplejwt", "--adopt", "--noinput")
                front.target, load.phase = our_port, "switched"
                time.sleep(2)
                _manage(ours, "switch_from_simplejwt", "--adopt", "--noinput", "--cut-over", "now")
                load.wait_for_refreshes(3 * clients)
                out = [client for client in people if client.signed_out]
                assert not out, f"{len(out)} clients were signed out on the way in: {load.seen}"
                front.target, load.phase = former_port, "returned"
                time.sleep(ACCESS)
                load.wait_for_refreshes(2 * clients)
            finally:
                stopped.set()
                for worker in workers:
                    worker.join()
                front.stop()
    assert not load.wrong, load.wrong[:10]
    out = [client for client in people if client.signed_out]
    assert {client.name for client in out} == {
        client.name for client in people if client.holds_ours()
    }
    assert not any(client.signed_out for client in people if not client.keeps)
    return {"clients": clients, "signed out on the way back": len(out), **load.seen}


def _manage(served: dict[str, str], *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "django", *words],
        cwd=ROOT,
        env=served,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]

"""With django-tenants each tenant has keys, tokens and denials of its own, in every process."""

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

import psycopg
import pytest

from tests.support.ports import free_port
from tests.support.processes import PATIENCE, ROOT, run_project
from tests.support.services import engine_server, temporary_database

pytestmark = pytest.mark.services

PROJECT = "tests.projects.tenants"
PASSWORD = "correct horse battery staple"
TENANTS = ("one", "two")
CALLS = 1_000
CLIENTS = 4
STALENESS = 1.0


@pytest.fixture(params=["tenant"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return a database with two tenants, and in each a user with the same key and name."""
    with engine_server("postgresql") as server, temporary_database(server) as url:
        done = run_project(PROJECT, DATABASE=url, LAYOUT=request.param)
        assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr
        yield url


def rows(database: str, sql: str) -> list[Any]:
    with psycopg.connect(database) as connection:
        return connection.execute(sql.encode()).fetchall()


def manage(database: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "django", *words],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": f"{PROJECT}.settings", "DATABASE": database},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass
class Server:
    """One process that serves both tenants, one request after the other, by one connection."""

    port: int

    def ask(
        self, tenant: str, method: str, path: str, *, body: Any = None, raw_access: str = ""
    ) -> tuple[int, Any]:
        headers = {"Host": f"{tenant}.localhost", "Content-Type": "application/json"}
        if raw_access:
            headers["Authorization"] = f"Bearer {raw_access}"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert answer.status < 500, content
        return answer.status, json.loads(content or b"null")

    def sign_in(self, tenant: str) -> Any:
        body = {"username": "ada", "password": PASSWORD}
        status, pair = self.ask(tenant, "POST", "/api/token/", body=body)
        assert status == 200, pair
        return pair

    def who(self, tenant: str, pair: Any, *, query: str = "") -> tuple[int, Any]:
        return self.ask(tenant, "GET", f"/who/{query}", raw_access=pair["access"])

    def refresh(self, tenant: str, pair: Any) -> tuple[int, Any]:
        body = {"refresh": pair["refresh"]}
        return self.ask(tenant, "POST", "/api/token/refresh/", body=body)

    def revoke(self, tenant: str, pair: Any) -> int:
        body = {"token": pair["refresh"]}
        return self.ask(tenant, "POST", "/api/token/revoke/", body=body)[0]


@contextmanager
def serving(database: str, **changes: str) -> Iterator[Server]:
    port = free_port()
    command = ["gunicorn", "-w1", f"-b127.0.0.1:{port}", f"{PROJECT}.wsgi:application"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": f"{PROJECT}.settings",
            "DATABASE": database,
            **changes,
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "the server does not start"
                time.sleep(0.1)
        yield Server(port)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


@dataclass
class Client:
    """A client of both tenants, which calls now this process and now that."""

    servers: list[Server]
    chance: random.Random
    bound: float
    pairs: dict[str, Any] = field(default_factory=dict)
    # Pairs that were revoked: the tenant, the pair, and when at the latest it is refused everywhere.
    revoked: list[tuple[str, Any, float]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def server(self) -> Server:
        return self.chance.choice(self.servers)

    def run(self, calls: int) -> Counter[str]:
        for tenant in TENANTS:
            self.pairs[tenant] = self.server().sign_in(tenant)
        while self.outcomes.total() < calls:
            here, there = self.chance.sample(TENANTS, 2)
            step = self.chance.choices(
                [self.call, self.cross, self.cross_refresh, self.refresh, self.revoke, self.replay],
                weights=[30, 25, 5, 15, 5, 20],
            )[0]
            step(here, there)
            self.outcomes[step.__name__] += 1
        return self.outcomes

    def call(self, here: str, there: str) -> None:
        # In snapshot mode, the view loads the user after it has left the tenant's schema.
        query = self.chance.choice(["", "?public"])
        status, found = self.server().who(here, self.pairs[here], query=query)
        assert (status, found) == (200, {"pk": 1, "email": f"ada@{here}.example"})

    def cross(self, here: str, there: str) -> None:
        assert self.server().who(there, self.pairs[here])[0] == 401

    def cross_refresh(self, here: str, there: str) -> None:
        assert self.server().refresh(there, self.pairs[here])[0] == 401
        self.server().revoke(there, self.pairs[here])
        assert self.server().who(here, self.pairs[here])[0] == 200

    def refresh(self, here: str, there: str) -> None:
        status, self.pairs[here] = self.server().refresh(here, self.pairs[here])
        assert status == 200

    def revoke(self, here: str, there: str) -> None:
        pair = self.pairs[here]
        assert self.server().revoke(here, pair) == 200
        self.revoked.append((here, pair, time.monotonic() + self.bound))
        self.pairs[here] = self.server().sign_in(here)

    def replay(self, here: str, there: str) -> None:
        for tenant, pair, at in self.revoked[-3:]:
            assert self.server().refresh(tenant, pair)[0] == 401
            if time.monotonic() > at:
                assert self.server().who(tenant, pair)[0] == 401


@pytest.mark.parametrize(
    ("mode", "limit_set_calls"), [("strict", "0"), ("strict", "1"), ("snapshot", "1")]
)
def test_a_thousand_calls_of_two_tenants_at_two_processes_are_all_right(
    database: str, mode: str, limit_set_calls: str
) -> None:
    changes = {"MODE": mode, "LIMIT_SET_CALLS": limit_set_calls, "MAX_STALENESS": str(STALENESS)}
    bound = STALENESS if mode == "snapshot" else 0
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(database, **changes)) for _ in range(2)]
        clients = [Client(servers, random.Random(seed), bound) for seed in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            counts = list(pool.map(lambda each: each.run(CALLS // CLIENTS), clients))
        outcomes = sum(counts, Counter[str]())
        assert outcomes.total() >= CALLS
        assert len(outcomes) == 6
        pairs = {tenant: servers[0].sign_in(tenant) for tenant in TENANTS}
        for tenant, pair in pairs.items():
            assert servers[1].who(tenant, pair)[0] == 200
        # The threads of the servers have written what was seen to the schema of each tenant.
        deadline = time.monotonic() + PATIENCE
        while any(not_seen(database, tenant) for tenant in TENANTS):
            assert time.monotonic() < deadline, "what was seen is not written"
            time.sleep(0.2)
    kids = {
        tenant: {kid for (kid,) in rows(database, f"SELECT kid FROM {tenant}.tokens_signingkey")}
        for tenant in TENANTS
    }
    assert all(len(each) == 2 for each in kids.values())
    assert not kids["one"] & kids["two"]


def not_seen(database: str, tenant: str) -> bool:
    newest = f"SELECT seen FROM {tenant}.tokens_session ORDER BY started_at DESC LIMIT 1"
    return rows(database, newest) != [(True,)]


def test_a_denial_is_announced_to_the_processes_that_serve_its_tenant(database: str) -> None:
    """The bound alone would take ten minutes."""
    changes = {"MODE": "snapshot", "MAX_STALENESS": "600"}
    with serving(database, **changes) as here, serving(database, **changes) as there:
        pairs = {tenant: here.sign_in(tenant) for tenant in TENANTS}
        for tenant, pair in pairs.items():
            assert there.who(tenant, pair)[0] == 200
        listening = "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN tokens_denied'"
        deadline = time.monotonic() + PATIENCE
        while rows(database, f"{listening} AND datname = current_database()") != [(1,)]:
            assert time.monotonic() < deadline, "one connection listens for both tenants"
            time.sleep(0.1)
        assert here.revoke("two", pairs["two"]) == 200
        # It looks for notifications twenty times per bound.
        deadline = time.monotonic() + 90
        while there.who("two", pairs["two"])[0] == 200:
            assert time.monotonic() < deadline, "the denial was not heard of"
            time.sleep(0.5)
        assert there.who("one", pairs["one"])[0] == 200


@pytest.mark.parametrize("database", ["shared", "both"], indirect=True)
def test_it_is_migrated_wherever_a_project_puts_the_app(
    database: str, request: pytest.FixtureRequest
) -> None:
    layout = request.node.callspec.params["database"]
    schemas = ["public"] if layout == "shared" else ["public", *TENANTS]
    found = rows(database, "SELECT schemaname FROM pg_tables WHERE tablename = 'tokens_signingkey'")
    assert sorted(schema for (schema,) in found) == sorted(schemas)
    for schema in schemas:
        states = rows(database, f"SELECT state FROM {schema}.tokens_signingkey ORDER BY state")
        assert states == [("next",), ("signing",)]
        assert rows(database, f"SELECT name FROM {schema}.auth_group") == [("Support",)]
    with serving(database, LAYOUT=layout, MODE="snapshot", MAX_STALENESS="600") as server:
        pair = server.sign_in("one")
        assert server.who("one", pair)[0] == 200
        # One key ring, and one copy of the denylist, where all tenants share the tables.
        expected = 200 if layout == "shared" else 401
        assert server.who("two", pair)[0] == expected
        assert server.revoke("one", pair) == 200
        assert server.who("two", pair)[0] == 401


def test_commands_are_run_for_one_tenant_or_for_all(database: str) -> None:
    def signing(tenant: str) -> str:
        sql = f"SELECT kid FROM {tenant}.tokens_signingkey WHERE state = 'signing'"
        return str(rows(database, sql)[0][0])

    before = {tenant: signing(tenant) for tenant in TENANTS}
    manage(database, "tenant_command", "rotate_secret", "--schema=one", "--noinput")
    assert signing("one") != before["one"]
    assert signing("two") == before["two"]
    with serving(database) as server:
        pairs = {tenant: server.sign_in(tenant) for tenant in TENANTS}
        words = ["--all", "--reason=leak", "--noinput"]
        manage(database, "tenant_command", "revoke_tokens", "--schema=two", *words)
        assert server.who("one", pairs["one"])[0] == 200
        assert server.who("two", pairs["two"])[0] == 401
    manage(database, "all_tenants_command", "--no-public", "prune_tokens")
    for tenant in TENANTS:
        assert rows(database, f"SELECT count(*) FROM {tenant}.tokens_prunerun") == [(1,)]

"""Use tickets at the site under gunicorn and uvicorn, and search everything that it prints for them."""

import json
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

SERVERS = ("gunicorn", "uvicorn")
PATIENCE = 60  # seconds for one request
VIEW = "/report/"


class Caller:
    """Someone who calls the site with tickets, all of which are remembered."""

    def __init__(self, base: str) -> None:
        where = urlsplit(base)
        self._address = (where.hostname or "", where.port or 80)
        self.tickets: list[str] = []

    def connect(self) -> HTTPConnection:
        connection = HTTPConnection(*self._address, timeout=PATIENCE)
        connection.connect()
        return connection

    def ask(
        self, method: str, path: str, *, body: str = "", headers: Mapping[str, str] = {}
    ) -> tuple[int, str]:
        connection = self.connect()
        try:
            connection.request(method, path, body or None, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ticket(self, raw_access: str) -> str:
        """Return a ticket for GET VIEW."""
        headers = {"Authorization": f"Bearer {raw_access}", "Content-Type": "application/json"}
        body = json.dumps({"path": VIEW})
        status, text = self.ask("POST", "/api/token/ticket/", body=body, headers=headers)
        if status != 200:
            raise RuntimeError(f"The site issued no ticket: {status} {text}")
        self.tickets.append(json.loads(text)["ticket"])
        return self.tickets[-1]

    def use(self, raw_ticket: str, *, method: str = "GET", path: str = VIEW, **kwargs: Any) -> int:
        return self.ask(method, f"{path}?ticket={raw_ticket}", **kwargs)[0]

    def use_at_once(self, raw_ticket: str, callers: int) -> Counter[int]:
        """Return how many of the callers got which status."""
        barrier = Barrier(callers)

        def call(_: int) -> int:
            connection = self.connect()
            barrier.wait(PATIENCE)
            try:
                connection.request("GET", f"{VIEW}?ticket={raw_ticket}")
                return connection.getresponse().status
            finally:
                connection.close()

        with ThreadPoolExecutor(callers) as pool:
            return Counter(pool.map(call, range(callers)))


def measure(engine: str, callers: int, workers: int, say: Callable[[str], None]) -> list[str]:
    """Return what fell short on the database of DATABASE_URL. Django is set up."""
    from tests.support.processes import site_under

    failures: list[str] = []
    changes = {
        "WEB_CONCURRENCY": str(workers),
        "DJANGO_SETTINGS_MODULE": "tests.tickets.reporting",
    }
    for server in SERVERS:
        say(f"{engine}: {callers} requests to {workers} processes of {server} with one ticket")
        with tempfile.TemporaryDirectory(prefix="latchkey-tickets-") as folder:
            log = Path(folder, "log")
            with site_under(server, changes, log=log) as site:
                caller = Caller(site.base)
                found, canary = _use(caller, callers)
            found += search(log.read_text(), caller.tickets, canary)
        failures += [f"{engine}, {server}: {line}" for line in found]
    return failures


def _use(caller: Caller, callers: int) -> tuple[list[str], str]:
    """Return what fell short, and what the failed request had in its address besides its ticket."""
    from tokens import sessions

    failures = []
    ada = _user()
    raw_access = sessions.start(ada).raw_access
    statuses = caller.use_at_once(caller.ticket(raw_access), callers)
    if statuses != Counter({200: 1, 401: callers - 1}):
        failures.append(f"{callers} callers got {dict(statuses)}.")
    for when, use in _refused(caller, raw_access).items():
        if (status := use(caller.ticket(raw_access))) not in {401, 403}:
            failures.append(f"a ticket {when} got {status}.")
    canary = secrets.token_hex(8)
    raw_access = sessions.start(ada).raw_access
    raw_ticket = caller.ticket(raw_access)
    status, _ = caller.ask("GET", f"{VIEW}?fail={canary}&ticket={raw_ticket}")
    if status != 500:
        failures.append(f"the view that fails answered {status}.")
    return failures, canary


def _user() -> Any:
    from django.contrib.auth import get_user_model

    name = secrets.token_hex(4)
    return get_user_model().objects.create_user(name, f"{name}@example.org", "x")


def _refused(caller: Caller, raw_access: str) -> dict[str, Callable[[str], int]]:
    """Return uses of a good ticket that must be refused. The last one ends its session."""
    from tokens import clock, sessions
    from tokens.api import cookies
    from tokens.client.cookie import full_name
    from tokens.models import Session
    from tokens.sessions import EndReason
    from tokens.tickets.models import Ticket

    of_bob = {"Cookie": f"{full_name(cookies.ACCESS)}={sessions.start(_user()).raw_access}"}
    sid = sessions.authenticate(raw_access).claims.sid

    def twice(raw_ticket: str) -> int:
        first = caller.use(raw_ticket)
        return caller.use(raw_ticket) if first == 200 else first

    def expired(raw_ticket: str) -> int:
        digest = sha256(raw_ticket.encode()).hexdigest()
        past = clock.now() - timedelta(seconds=1)
        assert Ticket.objects.filter(digest=digest).update(expires_at=past) == 1
        return caller.use(raw_ticket)

    def ended(raw_ticket: str) -> int:
        sessions.end(Session.objects.filter(pk=sid), reason=EndReason.LOGOUT)
        return caller.use(raw_ticket)

    return {
        "for the second time": twice,
        "for another path": lambda raw_ticket: caller.use(raw_ticket, path=f"{VIEW}other/"),
        "for another method": lambda raw_ticket: caller.use(raw_ticket, method="POST"),
        "with the cookie of another user": lambda raw_ticket: caller.use(
            raw_ticket, headers=of_bob
        ),
        "after it expired": expired,
        "after the end of its session": ended,
    }


def search(printed: str, tickets: list[str], canary: str) -> list[str]:
    """Return where a ticket is found, or what is missing that should have been searched."""
    lines = printed.splitlines()
    events = [line for line in lines if line.startswith("sentry: ")]
    logs = [line for line in lines if not line.startswith("sentry: ")]
    accesses = [line for line in logs if VIEW in line and " 401" in line]
    searched = {
        "an access log": bool(accesses),
        "an error log": any("RuntimeError: This view fails." in line for line in logs),
        "an event of Sentry about the view that failed": any(canary in line for line in events),
    }
    failures = [f"there was not {what} to search." for what, there in searched.items() if not there]
    for kind, of_kind in {"the logs": logs, "the events of Sentry": events}.items():
        text = "\n".join(of_kind)
        # Without the prefix: a part of a ticket is as bad.
        count = sum(ticket.partition("_")[2] in text for ticket in tickets)
        if count:
            failures.append(f"{count} of {len(tickets)} tickets are in {kind}.")
    return failures

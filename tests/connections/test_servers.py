"""Connections to real servers, whose sessions end in another process: the one of the tests."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.connections.held import PATIENCE
from tests.support.ports import free_port
from tests.support.processes import RunningSite, environment, serving
from tokens import sessions
from tokens.sessions import TokenPair

pytestmark = pytest.mark.slow

SITE = "tests.connections.served"
COMMANDS = {
    "uvicorn": ["uvicorn", f"{SITE}:application", "--host", "127.0.0.1", "--port", "{port}"],
    "daphne": ["daphne", f"{SITE}:application", "-b", "127.0.0.1", "-p", "{port}"],
    "gunicorn": [
        "gunicorn",
        f"{SITE}:wsgi_application",
        "--threads",
        "4",
        "-b",
        "127.0.0.1:{port}",
    ],
}
NEVER_LOGGED = ("never retrieved", "was destroyed", "never awaited", "without completing")
TICK = "data: tick"


@pytest.fixture
def pair(transactional_db: None, user: Any) -> TokenPair:
    return sessions.start(user)


@pytest.fixture
def bystander(transactional_db: None) -> TokenPair:
    grace = get_user_model().objects.create_user("grace", "grace@example.org", "x")
    return sessions.start(grace)


class Site:
    """A server that runs, and its log."""

    def __init__(self, running: RunningSite, port: int, log: Path) -> None:
        self._running, self._port, self._log = running, port, log

    def log(self) -> str:
        return self._log.read_text()

    def ask(self, path: str) -> Any:
        return self._running.ask(path).json()

    def wait_until(self, path: str, condition: Callable[[Any], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition(found := self.ask(path)):
            assert time.monotonic() < deadline, f"{path} says {found}"
            time.sleep(0.05)

    def wait_until_none_is_watched(self) -> None:
        self.wait_until("/state/", lambda found: found["watched"] == 0)

    @contextmanager
    def stream(self, path: str, pair: TokenPair) -> Iterator[HTTPResponse]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {pair.raw_access}"}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        assert response.status == 200
        try:
            yield response
        finally:
            response.close()
            connection.close()

    def socket(self, path: str, pair: TokenPair) -> ClientConnection:
        headers = {"Authorization": f"Bearer {pair.raw_access}"}
        address = f"ws://127.0.0.1:{self._port}{path}"
        return connect(address, additional_headers=headers, max_queue=1)


@contextmanager
def site_of(server: str, folder: Path) -> Iterator[Site]:
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-m", *(word.format(port=port) for word in COMMANDS[server])]
    settings = "tests.connections.served_settings"
    environ = environment(DJANGO_SETTINGS_MODULE=settings, PYTHONASYNCIODEBUG="0")
    with serving(command, port, environ, log=log) as running:
        yield Site(running, port, log)
    assert [phrase for phrase in NEVER_LOGGED if phrase in log.read_text()] == []


@pytest.fixture
def uvicorn(pair: TokenPair, bystander: TokenPair, tmp_path: Path) -> Iterator[Site]:
    with site_of("uvicorn", tmp_path) as site:
        yield site


def lines(response: HTTPResponse, count: int) -> list[str]:
    """Return the next lines that are not empty."""
    found: list[str] = []
    while len(found) < count:
        line = response.readline()
        assert line, f"the stream ends after {found}"
        if line.strip():
            found.append(line.decode().strip())
    return found


def rest(response: HTTPResponse) -> list[str]:
    """Return the lines until the stream ends."""
    return [line for line in response.read().decode().splitlines() if line]


def is_served_on(response: HTTPResponse, seconds: float = 1.5) -> bool:
    """Return whether events come for longer than the bound."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if lines(response, 1) != [TICK]:
            return False
    return True


def close_of(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(PATIENCE)
    assert closed.value.rcvd is not None, "the connection was closed without a close frame"
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_a_guarded_event_stream_ends_with_an_event_and_no_other_stream_ends(
    uvicorn: Site, pair: TokenPair, bystander: TokenPair
) -> None:
    with (
        uvicorn.stream("/silence/", pair) as silent,
        uvicorn.stream("/ticks/", pair) as ticking,
        uvicorn.stream("/unguarded/", pair) as unguarded,
        uvicorn.stream("/ticks/", bystander) as of_another,
    ):
        assert lines(silent, 1) == ["data: open"]
        for each in (ticking, unguarded, of_another):
            assert lines(each, 2) == [TICK, TICK]
        sessions.revoke(pair.raw_refresh)
        told = ["event: session-ended", 'data: {"code": "session_ended"}']
        assert rest(silent) == told
        assert rest(ticking)[-2:] == told
        assert is_served_on(unguarded)
        assert is_served_on(of_another)
        uvicorn.wait_until("/state/", lambda found: found["watched"] == 1)
    assert uvicorn.ask("/state/")["closed"] == ["silence"]
    uvicorn.wait_until_none_is_watched()
    assert "Traceback" not in uvicorn.log()


def test_clients_that_leave_first_leave_nothing_behind(uvicorn: Site, pair: TokenPair) -> None:
    before = uvicorn.ask("/tasks/")["tasks"]  # From here on, the server collects no garbage.
    for path in ("/silence/", "/flood/"):
        with uvicorn.stream(path, pair) as response:
            lines(response, 1)
            time.sleep(0.2)  # Until the buffers of /flood/ are full.
    with uvicorn.socket("/echo/", pair) as socket:
        socket.send("hello")
        assert socket.recv(PATIENCE) == "hello"
    uvicorn.wait_until(
        "/tasks/", lambda found: found["tasks"] <= before and len(found["closed"]) == 2
    )
    uvicorn.wait_until_none_is_watched()
    assert "Traceback" not in uvicorn.log()


def test_a_client_that_does_not_read_keeps_no_iterator_and_no_app(
    uvicorn: Site, pair: TokenPair
) -> None:
    before = uvicorn.ask("/tasks/")["tasks"]
    with uvicorn.stream("/flood/", pair) as response, uvicorn.socket("/flooding/", pair):
        lines(response, 1)
        time.sleep(0.5)  # Until all buffers are full.
        sessions.revoke(pair.raw_refresh)
        uvicorn.wait_until("/tasks/", lambda found: found["closed"] == ["flood"])
        assert rest(response)[-2:] == ["event: session-ended", 'data: {"code": "session_ended"}']
        uvicorn.wait_until_none_is_watched()  # The WebSocket still does not read.
    uvicorn.wait_until("/tasks/", lambda found: found["tasks"] <= before)


def test_an_iterator_and_an_app_that_raise_are_reported_and_not_watched(
    uvicorn: Site, pair: TokenPair
) -> None:
    with uvicorn.stream("/failure/", pair) as response:
        assert lines(response, 1) == ["data: open"]
        with pytest.raises(IncompleteRead):
            response.read()
    with uvicorn.socket("/failing/", pair) as socket:
        socket.send("x")
        with pytest.raises(ConnectionClosed):
            socket.recv(PATIENCE)
    uvicorn.wait_until_none_is_watched()
    assert uvicorn.log().count("\nZeroDivisionError") == 2


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
def test_a_websocket_closes_with_its_code_although_the_app_ignores_the_disconnect(
    server: str, pair: TokenPair, bystander: TokenPair, tmp_path: Path
) -> None:
    reason = "The session has ended. Sign in again."
    with (
        site_of(server, tmp_path) as site,
        site.socket("/echo/", pair) as echo,
        site.socket("/stubborn/", pair) as stubborn,
        site.socket("/echo/", bystander) as other,
    ):
        sessions.revoke(pair.raw_refresh)
        # daphne sends no reason.
        expected = (4401, reason if server == "uvicorn" else "")
        assert close_of(echo) == close_of(stubborn) == expected
        other.send("still here")
        assert other.recv(PATIENCE) == "still here"
        site.wait_until("/state/", lambda found: found["watched"] == 1)
        assert "Traceback" not in site.log()


def test_daphne_ends_a_guarded_event_stream(
    pair: TokenPair, bystander: TokenPair, tmp_path: Path
) -> None:
    with site_of("daphne", tmp_path) as site, site.stream("/silence/", pair) as silent:
        assert lines(silent, 1) == ["data: open"]
        sessions.revoke(pair.raw_refresh)
        assert rest(silent) == ["event: session-ended", 'data: {"code": "session_ended"}']
        site.wait_until_none_is_watched()


def test_a_guarded_sync_stream_under_wsgi_stops_at_its_next_item(
    pair: TokenPair, tmp_path: Path
) -> None:
    with (
        site_of("gunicorn", tmp_path) as site,
        site.stream("/sync/", pair) as guarded,
        site.stream("/sync-unguarded/", pair) as unguarded,
    ):
        for each in (guarded, unguarded):
            assert lines(each, 2) == [TICK, TICK]
        sessions.revoke(pair.raw_refresh)
        *_, event, data = rest(guarded)
        assert (event, data) == ("event: session-ended", 'data: {"code": "session_ended"}')
        assert is_served_on(unguarded)
        site.wait_until_none_is_watched()
        assert site.ask("/state/")["closed"] == ["sync"]

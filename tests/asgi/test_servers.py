"""Real servers: uvicorn, daphne and granian."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.ports import free_port
from tests.support.processes import ROOT, end, environment
from tokens import clock, sessions
from tokens.asgi import answers
from tokens.sessions import TokenPair

pytestmark = pytest.mark.slow

PATIENCE = 30
COMMANDS = {
    "uvicorn": ["uvicorn", "--host", "127.0.0.1", "--port"],
    "daphne": ["daphne", "--access-log", "-", "-b", "127.0.0.1", "-p"],
    "granian": ["granian", "--interface", "asgi", "--access-log", "--host", "127.0.0.1", "--port"],
}
PATHS = ["/ws/", "/channels/"] if find_spec("channels") else ["/ws/"]


@pytest.fixture(params=COMMANDS)
def server(request: Any, pair: TokenPair, tmp_path: Path) -> Iterator[str]:
    if find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed.")
    port, log = free_port(), tmp_path / "log"
    module, *words = COMMANDS[request.param]
    command = [sys.executable, "-m", module, *words, str(port), "tests.asgi.served:application"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(DJANGO_SETTINGS_MODULE="tests.settings"),
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not is_up(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        end(process)
    assert "lktk_" not in log.read_text()
    assert pair.raw_access not in log.read_text()


def is_up(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/me/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_each_credential_works_under_each_server(server: str, pair: TokenPair) -> None:
    header = {"Authorization": f"Bearer {pair.raw_access}"}
    with urlopen(Request(f"http://{server}/me/", headers=header), timeout=PATIENCE) as answer:
        assert answer.read() == b"ada"
    for path in PATHS:
        address = f"ws://{server}{path}"
        with connect(address, additional_headers=header) as socket:
            assert socket.recv(PATIENCE) == "ada"
            socket.send("hello")
            assert socket.recv(PATIENCE) == "hello"
        with connect(address, subprotocols=["latchkey.bearer", pair.raw_access]) as socket:  # type: ignore[list-item]
            assert socket.subprotocol == "latchkey.bearer"
            assert socket.recv(PATIENCE) == "ada"
        assert is_refused(address)


@pytest.mark.skipif(find_spec("tokens.tickets") is None, reason="The package was deleted.")
def test_a_ticket_works_once_under_each_server(server: str, pair: TokenPair) -> None:
    from tokens.tickets import issuing

    for path in PATHS:
        claims = sessions.authenticate(pair.raw_access).claims
        ticket = issuing.issue(claims, method="GET", path=path, now=clock.now()).reveal()
        address = f"ws://{server}{path}?ticket={ticket}"
        with connect(address) as socket:
            assert socket.recv(PATIENCE) == "ada"
        assert is_refused(address)


def is_refused(address: str) -> bool:
    with pytest.raises(InvalidStatus) as refused, connect(address):
        pass
    return refused.value.response.status_code in {401, 403}


@pytest.mark.skipif(find_spec("tokens.connections") is None, reason="The package was deleted.")
def test_a_websocket_closes_with_its_session_under_each_server(
    server: str, pair: TokenPair
) -> None:
    header = {"Authorization": f"Bearer {pair.raw_access}"}
    for path in PATHS:
        with connect(f"ws://{server}{path}", additional_headers=header) as socket:
            assert socket.recv(PATIENCE) == "ada"
            if path == PATHS[-1]:
                sessions.revoke(pair.raw_refresh)
                with pytest.raises(ConnectionClosed) as closed:
                    socket.recv(PATIENCE)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4401


def test_the_first_message_authenticates_under_each_server(server: str, pair: TokenPair) -> None:
    for path in PATHS:
        offered: Any = ["chat.v0", "chat.v1", "chat.v2"]
        with connect(f"ws://{server}/first{path}", subprotocols=offered) as socket:
            assert socket.subprotocol == "chat.v1"
            socket.send(json.dumps({"type": "authenticate", "token": pair.raw_access}))
            assert json.loads(socket.recv(PATIENCE))["type"] == "authenticated"
            assert socket.recv(PATIENCE) == "ada"
        with connect(f"ws://{server}/first{path}") as socket:
            socket.send(b"\0")
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(PATIENCE)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401
            assert closed.value.rcvd.reason in {answers.REFUSED, ""}  # daphne sends no reason.


@pytest.mark.parametrize("server", ["uvicorn"], indirect=True)
def test_a_first_message_that_comes_slowly_is_not_waited_for(server: str) -> None:
    began = time.monotonic()

    def slowly() -> Iterator[str]:
        while time.monotonic() - began < PATIENCE:
            yield " "  # A fragment, so that the message never ends.
            time.sleep(0.5)

    with connect(f"ws://{server}/first/") as socket:
        with pytest.raises(ConnectionClosed) as closed:
            socket.send(slowly())
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4401, answers.MISSING)
    assert time.monotonic() - began < PATIENCE

"""A connection is closed after its last answer, and nobody waits for a client that leaves it open."""

import socket
import time
from contextlib import ExitStack

import pytest

from .conftest import Served

PATIENCE = 30.0  # seconds
# Of one request. A server that waits for one of STAYING clients would take two seconds for each.
LONGEST = 1.5  # seconds
STAYING = 3

# uvicorn closes at once, so that a client may lose its answer if it still sends.
of_gunicorn = pytest.mark.parametrize("served", ["gunicorn"], indirect=True)


def connect(served: Served) -> socket.socket:
    return socket.create_connection(served.client.at, timeout=PATIENCE)


def ask(connection: socket.socket, *, more: bytes = b"") -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + more + b"\r\n"
    connection.sendall(head)


def read_to_the_end(connection: socket.socket) -> bytes:
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def is_open(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"x")
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def test_clients_that_leave_a_connection_open_hold_up_nobody(served: Served) -> None:
    with ExitStack() as stack:
        for _ in range(STAYING):
            staying = stack.enter_context(connect(served))
            ask(staying, more=b"Connection: close\r\n")
            assert read_to_the_end(staying).startswith(b"HTTP/1.1 200")
        for _ in range(5):
            began = time.monotonic()
            with connect(served) as another:
                ask(another)
                assert another.recv(65536).startswith(b"HTTP/1.1 200")
            assert time.monotonic() - began < LONGEST


@of_gunicorn
def test_a_client_that_still_sends_gets_the_whole_refusal(served: Served) -> None:
    with connect(served) as sending:
        sending.sendall(
            b"POST /api/token/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: nonsense\r\n\r\n"
        )
        for _ in range(40):
            time.sleep(0.01)  # So that the server would have closed meanwhile.
            sending.sendall(b"x" * 65536)
        answer = read_to_the_end(sending)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.partition(b"\r\n\r\n")[2]


@of_gunicorn
def test_a_connection_that_its_client_leaves_open_is_closed_after_a_while(served: Served) -> None:
    with connect(served) as staying:
        ask(staying, more=b"Connection: close\r\n")
        read_to_the_end(staying)
        deadline = time.monotonic() + PATIENCE
        while is_open(staying):
            assert time.monotonic() < deadline
            time.sleep(0.1)

"""The health check of the image, against a server that listens in different ways."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import health_check
from tests.support.processes import PATIENCE, ROOT

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
DOWN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def answering(
    family: int, address: object, answer: bytes
) -> Iterator[tuple[socket.socket, list[bytes]]]:
    """Answer one connection, and keep what was asked."""
    asked: list[bytes] = []
    with socket.socket(family) as server:
        server.bind(address)  # type: ignore[arg-type]
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server, asked
        thread.join(PATIENCE)


def run(bind: str, hosts: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.health_check"],
        cwd=ROOT,
        env={**os.environ, "BIND": bind, "ALLOWED_HOSTS": hosts},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize(("answer", "code"), [(OK, 0), (DOWN, 1)])
def test_it_fails_unless_the_server_answers_with_200(answer: bytes, code: int) -> None:
    with answering(socket.AF_INET, ("127.0.0.1", 0), answer) as (server, asked):
        done = run(f"0.0.0.0:{server.getsockname()[1]}", ".example.org,other.example.net")
    assert done.returncode == code, done.stderr
    assert asked[0].startswith(b"GET /healthz HTTP/1.1\r\n")
    assert b"\r\nHost: example.org\r\n" in asked[0]
    assert ("503" in done.stderr) == bool(code)


def test_it_fails_with_a_sentence_if_nothing_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        done = run(f"127.0.0.1:{probe.getsockname()[1]}", "localhost")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("prefix", ["unix:", "unix://"])
def test_it_asks_a_unix_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.chdir(tmp_path)  # The path of a socket has at most 107 bytes.
    with answering(socket.AF_UNIX, "socket", OK):
        assert health_check.ask(prefix + "socket", host="localhost") == 200


@pytest.mark.parametrize(
    ("bind", "host"),
    [
        ("0.0.0.0:8000", "127.0.0.1"),
        (":8000", "127.0.0.1"),
        ("[::]:8000", "::1"),
        ("192.0.2.1:8000", "192.0.2.1"),
    ],
)
def test_a_server_on_every_address_is_asked_on_this_machine(bind: str, host: str) -> None:
    connection = health_check.connect(bind)
    assert (connection.host, connection.port) == (host, 8000)


@pytest.mark.parametrize(
    ("allowed", "host"),
    [(["*"], "localhost"), ([], "localhost"), ([".example.org"], "example.org"), (["a", "b"], "a")],
)
def test_the_host_is_one_that_the_site_allows(allowed: list[str], host: str) -> None:
    assert health_check.host_of(allowed) == host


def test_files_that_are_collected_and_cannot_be_written_are_left(
    settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config import serve

    settings.STATIC_ROOT = str(tmp_path / "static")  # type: ignore[attr-defined]
    serve.collect_static_files()
    assert (tmp_path / "static/tokens/pages.css").exists()
    (tmp_path / "static/tokens/pages.css").unlink()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # Root may write everywhere.
    serve.collect_static_files()
    assert not (tmp_path / "static/tokens/pages.css").exists()

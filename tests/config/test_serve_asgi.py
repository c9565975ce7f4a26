"""``SERVER=asgi make serve`` serves the site under uvicorn's workers of gunicorn."""

import http.client
import http.cookiejar
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.ports import free_port
from tests.support.processes import ROOT, RunningSite, end, environment
from tokens import sessions

pytestmark = pytest.mark.slow

PATIENCE = 60
# Much less than gunicorn's graceful_timeout of 30 s, after which it kills.
SOON = 15

# Static files are collected in a folder of the test, and not in the one of the project. The passwords
# of tests are hashed by MD5.
SETTINGS = """
from pathlib import Path
from config.settings import *
STATIC_ROOT = Path(__file__).parent / "static"
PASSWORD_HASHERS = [*PASSWORD_HASHERS, "django.contrib.auth.hashers.MD5PasswordHasher"]
"""


class Served(RunningSite):
    def __init__(self, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
        super().__init__(port, process.pid)
        self.address = f"127.0.0.1:{port}"
        self.process, self._log = process, log

    def printed(self) -> str:
        return self._log.read_text(errors="replace")

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.printed()
        try:
            return self.ask("/healthz").status == 200
        except OSError:
            return False

    def wait(self, what: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.1)


def start(folder: Path, **changes: str) -> tuple["subprocess.Popen[bytes]", Path]:
    (folder / "settings_of_test.py").write_text(SETTINGS)
    log = folder / "log"
    env = environment(
        DJANGO_SETTINGS_MODULE="settings_of_test",
        PYTHONPATH=str(folder),
        DEBUG="false",
        HTTPS="false",
        WEB_CONCURRENCY="2",
        **changes,
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.serve"], cwd=ROOT, env=env, stdout=output, stderr=output
        )
    return process, log


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    port = free_port()
    process, log = start(folder, SERVER="asgi", PORT=str(port))
    site = Served(port, process, log)
    try:
        site.wait(site.is_up)
        yield site
    finally:
        end(process)


@pytest.fixture
def site(transactional_db: None, tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as site:
        yield site


def test_the_site_its_static_files_and_the_admin_are_served(site: Served, admin_user: Any) -> None:
    assert "config.uvicorn_worker.Worker" in site.printed()
    opener = build_opener(HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = opener.open(f"{site.base}/admin/login/?next=/admin/", timeout=PATIENCE).read().decode()
    style = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert style, page
    with opener.open(site.base + style[1], timeout=PATIENCE) as file:
        assert file.headers["Content-Type"].startswith("text/css")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    fields = {
        "username": admin_user.get_username(),
        "password": "password",
        "csrfmiddlewaretoken": token[1],
        "next": "/admin/",
    }
    with opener.open(f"{site.base}/admin/login/", urlencode(fields).encode(), PATIENCE) as answer:
        assert answer.url == f"{site.base}/admin/"
        assert "admin/tokens/session/" in answer.read().decode()


def test_a_websocket_is_refused_and_no_log_has_a_token_or_a_ticket(site: Served, user: Any) -> None:
    pair = sessions.start(user)
    token, ticket = pair.raw_access, f"lktk_{'t' * 43}"
    for path in ("/ws/", f"/ws/?ticket={ticket}", f"/?token={token}", "/admin/"):
        header = {"Authorization": f"Bearer {token}"}
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(f"ws://{site.address}{path}", additional_headers=header),
        ):
            pass
        assert refused.value.response.status_code == 403
    assert site.ask(f"/api/me/?ticket={ticket}&token={token}", raw_access=token).status == 200
    assert site.ask(f"/healthz?token={token}").status == 200
    assert odd(site, f"GET /?token={token} HTTP/9.9")
    assert odd(site, f"GET /?token={token}\x00 HTTP/1.1")
    site.wait(lambda: "/api/me/" in site.printed())
    printed = site.printed()
    assert "Traceback" not in printed
    for secret in (token, ticket):
        assert secret not in printed


def odd(site: Served, line: str) -> bool:
    """Send a line that is no request, and return whether the site answers others afterwards."""
    raw = http.client.HTTPConnection(site.address, timeout=PATIENCE)
    raw.connect()
    assert raw.sock
    raw.sock.sendall(f"{line}\r\nHost: x\r\n\r\n".encode())
    raw.sock.recv(65536)
    raw.close()
    return site.is_up()


def test_hup_replaces_the_workers_and_not_the_master_and_loses_no_request(site: Served) -> None:
    site.wait(lambda: len(site.workers()) == 2)
    before = set(site.workers())
    outcomes: list[Any] = []
    over = Event()

    def ask_on_and_on() -> None:
        while not over.is_set():
            try:
                outcomes.append(site.ask("/healthz").status)
            except OSError as error:
                outcomes.append(error)

    askers = [Thread(target=ask_on_and_on) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        site.signal(signal.SIGHUP)
        site.wait(lambda: len(site.workers()) == 2 and before.isdisjoint(site.workers()))
    finally:
        over.set()
        for asker in askers:
            asker.join(timeout=PATIENCE)
    assert site.process.poll() is None
    assert set(outcomes) == {200}


def test_term_ends_everything_soon(site: Served) -> None:
    site.wait(lambda: len(site.workers()) == 2)
    workers = site.workers()
    idle = http.client.HTTPConnection(site.address, timeout=PATIENCE)
    idle.request("GET", "/healthz")
    idle.getresponse().read()  # The connection stays open.
    site.process.terminate()
    assert site.process.wait(timeout=SOON) == 0, site.printed()
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    idle.close()


def test_another_server_is_refused(transactional_db: None, tmp_path: Path) -> None:
    process, log = start(tmp_path, SERVER="apache", PORT=str(free_port()))
    assert process.wait(timeout=PATIENCE) == 1
    printed = log.read_text()
    assert printed.startswith("SERVER is 'apache'. It may be one of wsgi, asgi.")
    assert "Traceback" not in printed

"""What one process denies, others publish: two workers that are polled, and a server that pushes."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.feed.conftest import use_key
from tests.feed.reader import Reader, Refused
from tests.support.processes import RunningSite, site_under
from tokens import keyring, sessions
from tokens.sessions import TokenPair

pytestmark = pytest.mark.slow

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.feed.settings"}


@pytest.fixture
def served(transactional_db: None, settings: Any) -> None:
    use_key("ES256", settings)


@pytest.fixture
def reader(served: None) -> Reader:
    return Reader(keyring.jwks())


@pytest.fixture
def pair(served: None, user: Any) -> TokenPair:
    return sessions.start(user)


def ask(site: RunningSite, reader: Reader) -> dict[str, Any]:
    """Let the reader poll, until it is given a document that it can apply."""
    while True:
        path = "/api/denials/" + (f"?after={reader.cursor}" if reader.cursor else "")
        document = site.ask(path).body.decode()
        if reader.payload_of(document)["at"] < reader.at:
            continue  # Of the other process.
        try:
            return reader.apply(document)
        except Refused:
            reader.cursor = None


def raw(pair: TokenPair) -> str:
    return str(getattr(pair.raw_access, "reveal", lambda: pair.raw_access)())


def test_two_workers_serve_one_list_by_increments(reader: Reader, user: Any) -> None:
    with site_under("gunicorn", {"WEB_CONCURRENCY": "2", **SETTINGS}) as site:
        assert len(site.workers()) == 2
        ask(site, reader)
        epoch, processes = reader.epoch, set()
        whole = 0
        for _ in range(20):
            pair = sessions.start(user)
            sessions.revoke(pair.raw_refresh)
            while not reader.refuses(raw(pair)):
                whole += ask(site, reader)["from"] is None
                processes.add(str(reader.cursor).split(".")[1])
        assert reader.epoch == epoch
        assert len(processes) == 2
        assert whole <= 2  # Only where a worker had just begun.


def documents(stream: Any) -> Iterator[str]:
    for line in stream:
        if line.startswith(b"data: "):
            yield line.decode().removeprefix("data: ").strip()


def test_a_server_pushes_what_another_process_denies_and_ends_its_streams(
    reader: Reader, pair: TokenPair, tmp_path: Path
) -> None:
    with (
        site_under("uvicorn", SETTINGS, log=tmp_path / "log") as site,
        urllib.request.urlopen(f"{site.base}/api/denials/events/", timeout=60) as stream,
    ):
        pushed = documents(stream)
        assert reader.apply(next(pushed))["from"] is None
        status, _ = site.get("/readyz")  # Another request is answered meanwhile.
        assert status == 200
        sessions.revoke(pair.raw_refresh)
        while not reader.refuses(raw(pair)):
            assert reader.apply(next(pushed))["from"] is not None
        site.signal(signal.SIGTERM)
        list(pushed)  # Until the end of the answer, which is complete: no IncompleteRead.
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_sign_out_at_one_server_is_pushed_by_another(reader: Reader, pair: TokenPair) -> None:
    with (
        site_under("gunicorn", {"WEB_CONCURRENCY": "1", **SETTINGS}) as site,
        site_under("uvicorn", SETTINGS) as pushing,
        urllib.request.urlopen(f"{pushing.base}/api/denials/events/", timeout=60) as stream,
    ):
        pushed = documents(stream)
        reader.apply(next(pushed))
        body = json.dumps({"token": raw(pair)}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{site.base}/api/token/revoke/", body, headers)
        assert urllib.request.urlopen(request, timeout=60).status == 200
        while not reader.refuses(raw(pair)):
            reader.apply(next(pushed))
        jtis = [key[1] for key in reader.denied if key[0] == "jti"]
        assert len(jtis) == 1

"""The views and the chat of the page, over clients without a browser."""

import json
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.examples.serving import PATIENCE, Served
from tokens import sessions
from tokens.sessions import TokenPair

pytestmark = pytest.mark.slow


def bearer(pair: TokenPair) -> dict[str, str]:
    return {"Authorization": f"Bearer {pair.raw_access}"}


def with_ticket(site: Served, pair: TokenPair, path: str) -> str:
    answer = httpx.post(
        f"{site.base}/api/token/ticket/",
        json={"path": path},
        headers=bearer(pair),
        timeout=PATIENCE,
    )
    assert answer.status_code == 200, answer.text
    return f"{site.base}{path}?ticket={answer.json()['ticket']}"


def enter_chat(site: Served, pair: TokenPair) -> ClientConnection:
    marker: Any = ["latchkey.bearer", pair.raw_access]
    return connect(f"ws://{site.host}/ws/chat/", subprotocols=marker, open_timeout=PATIENCE)


def say(socket: ClientConnection, text: str) -> None:
    socket.send(json.dumps({"text": text}))


def hear(socket: ClientConnection) -> str:
    line = json.loads(socket.recv(PATIENCE))
    return f"{line['from']}: {line['text']}"


def test_a_file_is_delivered_once_per_ticket(site: Served, user: Any) -> None:
    pair = sessions.start(user)
    for path, kind in (("/report/", "text/csv"), ("/badge/", "image/svg+xml")):
        address = with_ticket(site, pair, path)
        first = httpx.get(address, timeout=PATIENCE)
        assert (first.status_code, first.headers["Content-Type"]) == (200, kind)
        assert httpx.get(address, timeout=PATIENCE).status_code == 401
        assert httpx.get(f"{site.base}{path}", timeout=PATIENCE).status_code == 401
    site.assert_no_ticket_was_seen()


def test_the_progress_goes_on_after_the_last_event(site: Served, user: Any) -> None:
    pair = sessions.start(user)
    site.set_progress(user, 100)
    events = {"Accept": "text/event-stream"}
    header = {**events, "Last-Event-ID": "99"}
    done = "event: done\ndata: {}\n\n"
    for query, headers, sends in (
        ("", events, True),
        ("&after=99", events, True),
        ("&after=100", events, False),
        ("&after=x", events, True),
        ("", header, True),
        ("&after=100", header, True),
    ):
        address = with_ticket(site, pair, "/progress/") + query
        answer = httpx.get(address, headers=headers, timeout=PATIENCE)
        assert answer.headers["Content-Type"] == "text/event-stream"
        progress = "event: progress\nid: 100\ndata: 100\n\n" if sends else ""
        assert answer.text == progress + done
    refused = httpx.get(f"{site.base}/progress/", headers=events, timeout=PATIENCE)
    assert refused.status_code == 401


def test_two_users_talk_until_one_session_ends(site: Served, user: Any, grace: Any) -> None:
    hers, theirs = sessions.start(user), sessions.start(grace)
    with enter_chat(site, hers) as ada, enter_chat(site, theirs) as other:
        say(ada, "Hello")
        assert [hear(ada), hear(other)] == ["ada: Hello"] * 2
        ada.send(json.dumps(["no line"]))
        say(other, "x" * 501)
        assert [hear(ada), hear(other)] == [f"grace: {'x' * 500}"] * 2
        sessions.revoke(hers.raw_refresh)
        with pytest.raises(ConnectionClosed) as closed:
            ada.recv(PATIENCE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        with pytest.raises(ConnectionClosed):
            say(ada, "Am I still here?")
        with pytest.raises(InvalidStatus), enter_chat(site, hers):
            pass
        say(other, "Anybody here?")
        assert hear(other) == "grace: Anybody here?"
    assert "Traceback" not in site.log()


def test_the_chat_needs_a_token_or_a_ticket(site: Served, user: Any) -> None:
    address = f"ws://{site.host}/ws/chat/"
    with pytest.raises(InvalidStatus), connect(address):
        pass
    ticket = with_ticket(site, sessions.start(user), "/ws/chat/").replace("http", "ws", 1)
    with connect(ticket) as ada:
        say(ada, "Hello")
        assert hear(ada) == "ada: Hello"
    with pytest.raises(InvalidStatus), connect(ticket):
        pass
    site.assert_no_ticket_was_seen()

"""A worker for ASGI ends without losing a request, and before gunicorn kills it."""

import asyncio
from typing import Any

import pytest
from uvicorn import Config

from config import gunicorn_conf, uvicorn_worker
from config.uvicorn_worker import PatientServer, Worker

pytestmark = pytest.mark.slow

PATIENCE = 30


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def wait(what: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not what():
            await asyncio.sleep(0.01)


def test_a_request_on_a_connection_that_was_just_accepted_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Seconds. The request is sent much earlier, however busy the machine is.
    monkeypatch.setattr(uvicorn_worker, "LAST_REQUESTS_WITHIN", 3.0)
    server = PatientServer(Config(hello, port=0, lifespan="off", log_config=None))

    async def story() -> bytes:
        serving = asyncio.ensure_future(server.serve())
        await wait(lambda: server.started)
        listening: Any = server.servers[0]
        port = listening.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await wait(lambda: server.server_state.connections)
        server.should_exit = True
        await wait(lambda: not listening.is_serving())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()
        await asyncio.wait_for(serving, PATIENCE)
        return answer

    answer = asyncio.run(story())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"hello" in answer


def test_a_worker_ends_before_gunicorn_kills_it() -> None:
    patience = Worker.CONFIG_KWARGS["timeout_graceful_shutdown"]
    assert patience + uvicorn_worker.LAST_REQUESTS_WITHIN < gunicorn_conf.graceful_timeout
    assert Worker.CONFIG_KWARGS["proxy_headers"] is False  # Only TRUSTED_PROXIES decides that.

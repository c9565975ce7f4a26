"""
``python -m tests.examples.server SOCKET``: serve the project of the page on an inherited socket.

Each request is noted in the file REQUESTS, as a line of JSON, before the application changes its
scope. ``POST /drop/`` ends every progress stream as a proxy does: without the end of the answer.
"""

import asyncio
import json
import os
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn

STREAM, DROP = "/progress/", "/drop/"


class Noting:
    """The application, with a note of each request."""

    def __init__(self, app: Any, notes: Path) -> None:
        self._app = app
        self._notes = notes
        self._streams: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        note = {
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "referer": headers.get("referer", ""),
        }
        with self._notes.open("a") as file:
            file.write(f"{json.dumps(note)}\n")
        if scope["path"] == DROP:
            for stream in self._streams:
                stream.cancel()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
        elif scope["path"] == STREAM:
            stream = asyncio.create_task(self._app(scope, receive, send))
            self._streams.add(stream)
            await asyncio.wait({stream})
            self._streams.discard(stream)
            if not stream.cancelled():
                stream.result()
        else:
            await self._app(scope, receive, send)


def main() -> None:
    app = Noting(import_module("project.asgi").application, Path(os.environ["REQUESTS"]))
    # Open streams do not keep the server from its end.
    config = uvicorn.Config(app, lifespan="off", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()

"""Requests to the authority: no redirects, bounded bodies and times, the environment's proxies."""

import ssl
import time
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

MAX_BYTES = 32 * 1024 * 1024  # Some 700,000 denials.


class Web:
    def __init__(self, tls: ssl.SSLContext | None, timeout: float) -> None:
        self.timeout = timeout
        self._opener = OpenerDirector()
        for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(context=tls)):
            self._opener.add_handler(handler)

    def get(self, url: str, headers: dict[str, str]) -> str:
        with self._open(url, {**headers, "Accept-Encoding": "gzip"}) as answer:
            if answer.status != 200:
                raise OSError(f"{url} answered {answer.status}.")
            body = b"".join(self._pieces(answer))
        if answer.headers["Content-Encoding"] != "gzip":
            return body.decode()
        unpacking = zlib.decompressobj(wbits=31)  # gzip; of a bomb, no more than MAX_BYTES.
        text = unpacking.decompress(body, MAX_BYTES)
        if not unpacking.eof:
            raise OSError("The answer is too large, or incomplete.")
        return text.decode()

    def events(self, url: str, headers: dict[str, str]) -> Iterator[str]:
        """Yield the data of each server-sent event, or nothing if the server does not push."""
        with self._open(url, headers) as answer:
            if answer.status == 200 and answer.headers.get_content_type() == "text/event-stream":
                for line in self._pieces(answer, end=b"\n"):
                    if line.startswith(b"data:"):
                        yield line[5:].decode().strip()

    def _open(self, url: str, headers: dict[str, str]) -> Any:
        # The options have checked the address.
        return self._opener.open(Request(url, headers=headers), timeout=self.timeout)  # noqa: S310

    def _pieces(self, answer: Any, end: bytes | None = None) -> Iterator[bytes]:
        """Yield what is between each ``end``. Raises OSError for what is too large, or too slow."""
        parts, size, deadline = [b""], 0, time.monotonic() + self.timeout
        while chunk := answer.read1(65536):
            size += len(chunk)
            if size > MAX_BYTES or time.monotonic() > deadline:
                raise OSError("The answer is too large, or too slow.")
            first, *others = chunk.split(end) if end else [chunk]
            parts.append(first)
            for other in others:
                yield b"".join(parts)
                parts, size, deadline = [other], len(other), time.monotonic() + self.timeout
        yield b"".join(parts)

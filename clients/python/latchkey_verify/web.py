"""Requests to the authority: no redirects, bounded bodies and times, proxies from the environment."""

import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from http.client import HTTPResponse
from typing import cast
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

MAX_BYTES = 32 * 1024 * 1024  # Some 700,000 denials.


class Web:
    def __init__(self, tls: ssl.SSLContext | None, timeout: float) -> None:
        self.timeout = timeout
        self._opener = OpenerDirector()
        for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(context=tls)):
            self._opener.add_handler(handler)

    def open(self, url: str, headers: Mapping[str, str]) -> HTTPResponse:
        """Return the answer, whatever its status is."""
        request = Request(url, headers=dict(headers))  # noqa: S310  # The options have checked it.
        return cast(HTTPResponse, self._opener.open(request, timeout=self.timeout))

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        with self.open(url, {**headers, "Accept-Encoding": "gzip"}) as answer:
            if answer.status != 200:
                raise OSError(f"{url} answered {answer.status}.")
            body = b"".join(self._pieces(answer, end=None))
        if answer.headers["Content-Encoding"] != "gzip":
            return body.decode()
        unpacking = zlib.decompressobj(wbits=31)  # gzip; of a bomb, no more than MAX_BYTES.
        text = unpacking.decompress(body, MAX_BYTES)
        if not unpacking.eof:
            raise OSError("The answer is too large, or incomplete.")
        return text.decode()

    def events(self, answer: HTTPResponse) -> Iterator[str]:
        """Yield the data of each server-sent event."""
        for event in self._pieces(answer, end=b"\n\n"):
            for line in event.decode().split("\n"):
                if line.startswith("data:"):
                    yield line[5:].strip()

    def _pieces(self, answer: HTTPResponse, end: bytes | None) -> Iterator[bytes]:
        """Yield what is before each ``end``. Raises OSError for what is too large, or too slow."""
        buffer, deadline = bytearray(), time.monotonic() + self.timeout
        while chunk := answer.read1(65536):
            if len(buffer) > MAX_BYTES or time.monotonic() > deadline:
                raise OSError("The answer is too large, or too slow.")
            searched = max(len(buffer) - 1, 0)
            buffer += chunk
            while end and (found := buffer.find(end, searched)) >= 0:
                yield bytes(buffer[:found])
                del buffer[: found + len(end)]
                searched, deadline = 0, time.monotonic() + self.timeout
        if end is None:
            yield bytes(buffer)

"""A request that depends on a seed and its number only, apart from the tokens that it carries."""

import json
from dataclasses import dataclass
from random import Random
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote, urlencode

from . import values
from .values import MARKER


class Tokens(NamedTuple):
    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The bytes of a request, and what may be expected of the answer."""

    raw: bytes
    method: str
    path: str
    accepts_html: bool
    # Whether it is one request with one end, which the server must answer.
    is_whole: bool


def make(seed: int, number: int, tokens: Tokens) -> Sent:
    return _Maker(Random(f"{seed} {number}"), tokens).request()


class _Maker:
    def __init__(self, random: Random, tokens: Tokens) -> None:
        self.random = random
        self.tokens = tokens
        self.is_whole = True

    def request(self) -> Sent:
        chance, choose = self.chance, self.random.choice
        method = choose(values.ODD_METHODS if chance(0.04) else values.METHODS)
        path = choose(values.PATHS)
        target = self.spelled(path) if chance(0.15) else path
        if chance(0.5):
            target += "?" + self.query()
        version = (
            choose(["HTTP/1.0", "HTTP/2.0", "HTTP/1", "http/1.1", ""]) if chance(0.03) else None
        )
        is_plain = target.isascii() and target.isprintable() and " " not in target
        if (
            version is not None
            or method not in values.METHODS
            or not is_plain
            or len(target) > 4000
        ):
            self.is_whole = False
        headers, accepts_html = self.headers()
        body = self.body() if method not in {"GET", "HEAD"} or chance(0.1) else b""
        framing, framed = self.framed(body)
        end = b"\n" if chance(0.01) else b"\r\n"
        self.is_whole &= end == b"\r\n"
        lines = [f"{method} {target} {'HTTP/1.1' if version is None else version}"]
        raw = b"".join(line.encode("latin-1") + end for line in [*lines, *headers, *framing])
        accepts_html |= "format=api" in target
        sent_path = unquote(target.partition("?")[0].removeprefix("http://127.0.0.1"))
        return Sent(raw + end + framed, method, sent_path, accepts_html, self.is_whole)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def secret(self) -> str:
        return f"{MARKER}{self.random.randrange(10**6)}"

    def spelled(self, path: str) -> str:
        choose = self.random.choice
        at = self.random.randrange(len(path))
        return choose(
            [
                "/" + path,
                path.upper(),
                path.replace("/", "//"),
                path[:at] + choose(["%00", "%ff", "%", "%2f", "..", ";", "\\", "\xe9"]) + path[at:],
                path[:at] + chr(self.random.randrange(256)) + path[at:],
                "/x/.." + path,
                "http://127.0.0.1" + path,
                path.rstrip("/"),
                path + "a" * choose([300, 5000]),
                "*",
            ]
        )

    def query(self) -> str:
        choose = self.random.choice
        junk = quote_from_bytes(self.random.randbytes(self.random.randrange(20)))
        match self.random.randrange(6):
            case 0:
                return f"{self.secret()}&" * choose([3, 200]) + "&" * choose([0, 1001])
            case 1:
                return f"{junk}&a={self.secret()}"
            case 2:
                return f"cursor={junk}&next={self.secret()}"
            case 3:
                return f"format={choose(['json', 'api', 'xml', 'openapi'])}&{self.secret()}"
            case 4:
                return f"%{choose(['', 'x', 'zz', '0'])}?{self.secret()}??"
        return urlencode({"token": self.secret(), choose(values.FIELDS): self.tokens.access})

    def headers(self) -> tuple[list[str], bool]:
        choose, chance = self.random.choice, self.chance
        lines = [f"Host: {choose(values.HOSTS) if chance(0.03) else '127.0.0.1'}"]
        if chance(0.01):
            self.is_whole = False
            lines = []
        accepts_html = False
        for name in self.random.sample([*values.HEADERS], self.random.randrange(6)):
            value = self.value(choose(values.HEADERS[name]), may_be_secret=name != "Origin")
            accepts_html |= name == "Accept" and "html" in value
            lines.append(f"{choose([name, name.lower(), name.upper()])}: {value}")
        if chance(0.8):
            lines.append(f"Content-Type: {self.content_type()}")
        if chance(0.5):
            lines.append(f"Authorization: {self.credential()}")
        if chance(0.3):
            lines.append(f"Cookie: {self.cookie()}")
        self.random.shuffle(lines)
        if chance(0.05):
            name = choose(["X Y", "X_Y", "X\xe9", "X", "", " X"])
            lines.append(f"{name}: {self.secret()}")
            self.is_whole = False
        return lines, accepts_html

    def value(self, value: str, *, may_be_secret: bool) -> str:
        if self.chance(0.05):
            self.is_whole = False
            value += self.random.choice(["\x00", "\r", "\x7f", "\x0b", "\n X: y", "\x01"])
        return value + self.secret() if may_be_secret and self.chance(0.1) else value

    def content_type(self) -> str:
        content_type = self.random.choice(values.MEDIA_TYPES)
        if self.chance(0.3):
            content_type += f"; charset={self.random.choice(values.CHARSETS)}"
        return content_type

    def credential(self) -> str:
        scheme = self.random.choice(["Bearer", "bearer", "Bearer ", "Basic", "", "Bearer,", "\xff"])
        return f"{scheme} {self.token()}"

    def token(self) -> str:
        raw = self.random.choice(self.tokens)
        at = self.random.randrange(len(raw))
        return self.random.choice(
            [raw, raw, raw[:at], raw[:at] + self.secret() + raw[at:], self.secret(), "a.b.c", "."]
        )

    def cookie(self) -> str:
        pairs = [f"{self.random.choice(values.COOKIES)}={self.token()}" for _ in range(2)]
        return self.random.choice(["; ", ",", ";;", "=", "\xff"]).join(pairs)

    def body(self) -> bytes:
        choose = self.random.choice
        fields = {name: self.token() for name in self.random.sample(values.FIELDS, 2)}
        text = json.dumps(fields)
        match self.random.randrange(9):
            case 0:
                return self.random.randbytes(self.random.randrange(200)) + self.secret().encode()
            case 1:
                odd: object = choose([None, 1, [], {}, "", "\x00", "\ud800", [self.secret()], True])
                return json.dumps(dict.fromkeys(fields, odd)).encode()
            case 2:
                return text[: self.random.randrange(len(text))].encode()
            case 3:
                return text.encode(choose(["utf-16", "utf-32", "utf-8-sig"]))
            case 4:
                return urlencode(fields).encode() + choose([b"", b"&%ff=%", b"&a" * 1001])
            case 5:
                parts = (
                    f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                    for name, value in fields.items()
                )
                return ("".join(parts) + choose(["--b--\r\n", "--b", "--b\r\nX"])).encode()
            case 6:
                return choose([b"[", b'{"a":', b"9"]) * choose([9, 9999, 99_999])
        return text.encode()

    def framed(self, body: bytes) -> tuple[list[str], bytes]:
        """Return the headers that say where the body ends, and the body as it is sent."""
        if self.chance(0.05):
            self.is_whole = False
            return self.badly_framed(body)
        if not body and self.chance(0.8):
            return [], b""
        if self.chance(0.6):
            return [f"Content-Length: {len(body)}"], body
        return ["Transfer-Encoding: chunked"], self.chunked(body) + b"0\r\n\r\n"

    def chunked(self, body: bytes) -> bytes:
        size = self.random.choice([1 + len(body) // 3, 65536])
        pieces = (body[at : at + size] for at in range(0, len(body), size))
        extension = self.random.choice([b"", b"", b";a=b", b' ; a="b"'])
        return b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)

    def badly_framed(self, body: bytes) -> tuple[list[str], bytes]:
        choose = self.random.choice
        length, chunked = f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"
        whole, secret = self.chunked(body) + b"0\r\n\r\n", self.secret().encode()
        cases: list[tuple[list[str], bytes]] = [
            ([f"Content-Length: {len(body) + 9}"], body),
            ([f"Content-Length: {choose(['-1', '+2', '0x2', 'x', '', '9' * 30])}"], body),
            ([length, length], body),
            ([length, "Content-Length: 0"], body),
            ([length, chunked], whole),
            ([chunked], body),
            ([chunked], whole[:-6]),
            ([chunked], whole[:-6] + secret + b"\r\n"),
            ([f"Transfer-Encoding: {choose(['xchunked', 'gzip', 'identity', ''])}"], body),
            ([chunked, chunked], whole),
            ([chunked], whole[:-2] + b"X: " + secret + b"\r\n\r\n"),
        ]
        return choose(cases)

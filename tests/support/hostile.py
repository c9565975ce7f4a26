"""
Header members, claims and spellings that no honest token has, each with its source.

The tests use them under a valid signature, so that each token has only one fault.
"""

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

BIG = 10**400
NOBODY = "00000000-0000-0000-0000-000000000000"

HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "alg none": ("RFC 8725 §2.1", {"alg": "none"}),
    "alg None": ("rfc8725bis §2.11", {"alg": "None"}),
    "alg nOnE": ("rfc8725bis §2.11", {"alg": "nOnE"}),
    "alg in lower case": ("rfc8725bis §3.1", {"alg": "hs256"}),
    "alg of another hash": ("RFC 8725 §3.1", {"alg": "HS512"}),
    "alg of another family": ("RFC 8725 §2.1", {"alg": "RS256"}),
    "alg a list": ("RFC 8725 §3.1", {"alg": ["HS256"]}),
    "alg a number": ("RFC 8725 §3.1", {"alg": 256}),
    "kid unknown": ("RFC 8725 §3.10", {"kid": "unknown"}),
    "kid with SQL": ("RFC 8725 §2.9, HackTricks", {"kid": "' OR 1=1 --"}),
    "kid with a SQL union": (
        "RFC 8725 §2.9, jwt_tool playbook",
        {"kid": "x' UNION SELECT 'secret' --"},
    ),
    "kid a path to an empty file": ("PortSwigger JWT lab", {"kid": "../../../../dev/null"}),
    "kid a path under /proc": ("HackTricks", {"kid": "/proc/sys/kernel/randomize_va_space"}),
    "kid a path and a NUL": ("HackTricks", {"kid": "../../etc/passwd\x00.pem"}),
    "kid a command": ("HackTricks", {"kid": "key; sleep 5 #"}),
    "kid a template": ("OWASP WSTG-INPV-18", {"kid": "{{7*7}}${7*7}<%= 7*7 %>"}),
    "kid with LDAP": ("RFC 8725 §2.9", {"kid": "*)(uid=*))(|(uid=*"}),
    "kid a URL": ("RFC 8725 §2.9", {"kid": "http://169.254.169.254/latest/meta-data/"}),
    "kid a file URL": ("GHSA-993g-76c3-p5m4", {"kid": "file:///etc/hostname"}),
    "kid with a line break": ("CWE-117", {"kid": "k\r\nX-Injected: 1"}),
    "kid a NUL": ("jwt_tool playbook", {"kid": "\x00"}),
    "kid a lone surrogate": ("RFC 8725 §3.7", {"kid": "\ud800"}),
    "kid of 3,000 characters": ("RFC 8725 §3.10", {"kid": "k" * 3000}),
    "kid empty": ("jwt_tool playbook", {"kid": ""}),
    "kid a number": ("RFC 7515 §4.1.4", {"kid": 1}),
    "kid a list": ("RFC 7515 §4.1.4", {"kid": ["a"]}),
    "kid an object": ("RFC 7515 §4.1.4", {"kid": {"$ne": None}}),
    "kid null": ("RFC 7515 §4.1.4", {"kid": None}),
    "kid true": ("RFC 7515 §4.1.4", {"kid": True}),
    "crit naming a claim": ("RFC 7515 §4.1.11", {"crit": ["exp"], "exp": 1}),
    "crit naming an extension": (
        "RFC 7515 §4.1.11, CVE-2026-32597, CVE-2025-59420",
        {"crit": ["x-mfa"], "x-mfa": True},
    ),
    "crit empty": ("RFC 7515 §4.1.11", {"crit": []}),
    "crit null": ("RFC 7515 §4.1.11", {"crit": None}),
    "crit a string": ("RFC 7515 §4.1.11", {"crit": "b64"}),
    "b64 false": ("RFC 7797 §3, GHSA-w7vc-732c-9m39", {"crit": ["b64"], "b64": False}),
    "b64 false and not critical": ("RFC 7797 §6", {"b64": False}),
    "typ JWT": ("rfc8725bis §3.11", {"typ": "JWT"}),
    "typ of a logout token": ("RFC 8725 §2.8", {"typ": "logout+jwt"}),
    "typ of a security event": ("RFC 8725 §2.8", {"typ": "secevent+jwt"}),
    "typ of another access token": ("RFC 9068 §4", {"typ": "dpop+jwt"}),
    "typ in upper case": ("RFC 8725 §3.11", {"typ": "AT+JWT"}),
    "typ a number": ("RFC 8725 §3.11", {"typ": 1}),
    "typ a list": ("RFC 8725 §3.11", {"typ": ["at+jwt"]}),
    "typ null": ("RFC 8725 §3.11", {"typ": None}),
}

CLAIMS: dict[str, tuple[str, dict[str, Any]]] = {
    "iss of another issuer": ("RFC 8725 §3.8", {"iss": "somebody"}),
    "iss a part of the site's": ("CVE-2024-53861", {"iss": "latch"}),
    "iss a list with the site's": ("CVE-2025-30144", {"iss": ["latchkey", "https://evil.example"]}),
    "iss the site's and a slash": ("RFC 8725 §3.8", {"iss": "latchkey/"}),
    "iss null": ("RFC 8725 §3.8", {"iss": None}),
    "aud of another service": ("RFC 8725 §2.7", {"aud": "somebody"}),
    "aud a list": ("RFC 8725 §3.9", {"aud": ["latchkey"]}),
    "aud a list of many": ("RFC 8725 §3.9", {"aud": ["somebody", "latchkey"]}),
    "aud empty": ("CVE-2020-26160", {"aud": []}),
    "aud null": ("RFC 8725 §3.9", {"aud": None}),
    "sub a number": ("RFC 7519 §4.1.2", {"sub": 1}),
    "sub of no user": ("RFC 8725 §3.8", {"sub": "nobody"}),
    "sub empty": ("RFC 8725 §3.8", {"sub": ""}),
    "sub with SQL": ("RFC 8725 §2.9", {"sub": "' OR '1'='1"}),
    "sub an ORM lookup": ("CVE-2025-64459", {"sub": {"_connector": "OR 1=1 OR"}}),
    "exp a float": ("RFC 7519 §4.1.4", {"exp": 4e9}),
    "exp a string": ("RFC 7519 §2", {"exp": "4000000000"}),
    "exp true": ("RFC 7519 §2", {"exp": True}),
    "exp huge": ("RFC 7519 §2", {"exp": BIG}),
    "exp after the year 9999": ("RFC 7519 §2", {"exp": 253402300800}),
    "exp negative": ("RFC 7519 §2", {"exp": -1}),
    "exp null": ("jwt_tool playbook", {"exp": None}),
    "exp an object": ("RFC 7519 §2", {"exp": {"$gt": 0}}),
    "exp in the past": ("RFC 7519 §4.1.4", {"exp": 1}),
    "nbf in the future": ("RFC 7519 §4.1.5", {"nbf": 4_000_000_000}),
    "nbf a string": ("RFC 7519 §4.1.5", {"nbf": "1"}),
    "nbf null": ("RFC 7519 §4.1.5", {"nbf": None}),
    "nbf huge": ("RFC 7519 §4.1.5", {"nbf": BIG}),
    "iat a float": ("RFC 7519 §4.1.6", {"iat": 1.0}),
    "iat a string": ("RFC 7519 §4.1.6", {"iat": "1"}),
    "iat negative": ("RFC 7519 §4.1.6", {"iat": -(10**18)}),
    "iat in the future": ("RFC 7519 §4.1.6", {"iat": 4_000_000_000, "exp": 4_000_000_300}),
    "jti a number": ("RFC 7519 §4.1.7", {"jti": 1}),
    "jti null": ("RFC 7519 §4.1.7", {"jti": None}),
    "jti empty": ("RFC 7519 §4.1.7", {"jti": ""}),
    "jti of no form issued": ("RFC 8725 §3.10", {"jti": "one"}),
    "jti with a NUL": ("RFC 8725 §2.9", {"jti": "\0"}),
    "jti half a surrogate pair": ("RFC 8259 §8.2", {"jti": "\ud800"}),
    "jti of 4,000 characters": ("RFC 8725 §3.11", {"jti": "a" * 4_000}),
    "jti of another session": ("RFC 8725 §3.10", {"jti": NOBODY.replace("-", "") + ".0a"}),
    "sub with a NUL": ("RFC 8725 §2.9", {"sub": "\0"}),
    "sub half a surrogate pair": ("RFC 8259 §8.2", {"sub": "\udfff"}),
    "sid in braces": ("RFC 8725 §3.10", {"sid": "{" + NOBODY + "}"}),
    "sid of no session": ("RFC 8725 §3.10", {"sid": NOBODY}),
    "sid with SQL": ("RFC 8725 §2.9", {"sid": "' OR 1=1 --"}),
    "sid a number": ("RFC 8725 §3.10", {"sid": 7}),
    "sid a list": ("RFC 8725 §3.10", {"sid": [NOBODY]}),
}


def _inner(raw_token: str, change: Callable[[bytes], bytes], *, part: int) -> str:
    """Return the token with the bytes of one part changed and the signature unchanged."""
    parts = raw_token.split(".")
    decoded = base64.urlsafe_b64decode(parts[part] + "==")
    parts[part] = base64.urlsafe_b64encode(change(decoded)).rstrip(b"=").decode()
    return ".".join(parts)


def _with_stray_bits(raw_token: str) -> str:
    # 32 bytes leave two bits of the last character unused: four spellings of one signature.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return raw_token[:-1] + alphabet[alphabet.index(raw_token[-1]) ^ 1]


def _flattened(raw_token: str) -> str:
    header, payload, signature = raw_token.split(".")
    return json.dumps({"protected": header, "payload": payload, "signature": signature})


def _general(raw_token: str) -> str:
    header, payload, signature = raw_token.split(".")
    signatures = [{"protected": header, "signature": signature}]
    return json.dumps({"payload": payload, "signatures": signatures})


def _json_and_compact(raw_token: str) -> str:
    # A parser of one form finds a valid signature, and a parser of the other finds forged claims.
    header, payload, signature = raw_token.split(".")
    forged = base64.urlsafe_b64encode(b'{"sub":"somebody"}').decode().rstrip("=")
    members = {"protected": header, "payload": payload, "signature": signature}
    return f'{{"  {header}.{forged}.":"",' + json.dumps(members)[1:]


SPELLINGS: dict[str, tuple[str, Callable[[str], str]]] = {
    "no signature": ("RFC 7519 §6", lambda raw: raw.rpartition(".")[0] + "."),
    "two parts": ("RFC 8725 §3.11", lambda raw: raw.rpartition(".")[0]),
    "four parts": ("rfc8725bis §3.11", lambda raw: raw + ".e30"),
    "five parts, as a JWE": (
        "RFC 8725 §2.3, CVE-2023-51774",
        lambda raw: raw.split(".")[0] + ".a.b.c.d",
    ),
    "five parts, the last two empty": ("CVE-2023-51774", lambda raw: raw + ".."),
    "only dots": ("CVE-2025-30204, CVE-2025-27144", lambda raw: "." * 8000),
    "JSON Serialization": ("rfc8725bis §2.13, RFC 7515 §7.2.2", _flattened),
    "JSON Serialization with a list": ("rfc8725bis §2.13, RFC 7515 §7.2.1", _general),
    "JSON and compact at once": ("CVE-2022-39227, rfc8725bis §2.13", _json_and_compact),
    "padding at the end": ("RFC 7515 §2", lambda raw: raw + "="),
    "padding in the middle": ("RFC 7515 §2", lambda raw: raw.replace(".", "=.")),
    "unused bits set": ("RFC 4648 §3.5", _with_stray_bits),
    "characters of the standard base64 alphabet": (
        "RFC 4648 §4, GHSA-hxm8-2xgr-2p9m",
        lambda raw: raw + "+/",
    ),
    "in quotes": ("PortSwigger", lambda raw: f'"{raw}"'),
    "a shorter signature": ("RFC 8725 §3.3", lambda raw: raw[:-4]),
    "a space inside": ("RFC 7515 §2", lambda raw: raw.replace(".", ". ")),
    "a tab inside": ("RFC 7515 §2", lambda raw: raw.replace(".", "\t.")),
    "a line break inside": ("RFC 7515 §2", lambda raw: raw[:9] + "\n" + raw[9:]),
    "a NUL at the end": ("CWE-158", lambda raw: raw + "\x00"),
    "a comma and more text": ("RFC 9110 §5.3", lambda raw: raw + ",x"),
    "percent-encoded dots": ("OWASP WSTG-SESS-10", lambda raw: raw.replace(".", "%2e")),
    "percent-encoded, with a NUL": ("OWASP WSTG-SESS-10", lambda raw: quote(raw[:50]) + "%00"),
    "full stops of another script": ("RFC 8725 §3.11", lambda raw: raw.replace(".", "\u3002")),
    "full-width letters": (
        "RFC 8725 §3.11",
        lambda raw: "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in raw[:60]),
    ),
    "a byte order mark at the start": ("RFC 8725 §3.7", lambda raw: "\ufeff" + raw),
    "encoded in base64 again": (
        "OWASP WSTG-SESS-10",
        lambda raw: base64.urlsafe_b64encode(raw.encode()).decode(),
    ),
    "in hexadecimal": ("OWASP WSTG-SESS-10", lambda raw: raw.encode().hex()),
    "in upper case": ("RFC 8725 §3.11", lambda raw: raw.upper()),
    "reversed": ("jwt_tool playbook", lambda raw: raw[::-1]),
    "twice, joined by a dot": ("jwt_tool playbook", lambda raw: f"{raw}.{raw}"),
    "the header in UTF-16": (
        "RFC 8725 §2.6",
        lambda raw: _inner(raw, lambda text: text.decode().encode("utf-16"), part=0),
    ),
    "the claims compressed": (
        "rfc8725bis §2.12",
        lambda raw: _inner(raw, zlib.compress, part=1),
    ),
}

# These replace the claims, under a valid signature.
PAYLOADS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "nothing": ("RFC 7519 §7.2", lambda claims: b""),
    "a list": ("RFC 7519 §7.2", lambda claims: b"[" + claims + b"]"),
    "null": ("RFC 7519 §7.2", lambda claims: b"null"),
    "a string": ("RFC 7519 §7.2", lambda claims: json.dumps(claims.decode()).encode()),
    "no claim": ("RFC 7519 §7.2", lambda claims: b"{}"),
    "NaN": ("RFC 8259 §6", lambda claims: claims[:-1] + b',"a":NaN}'),
    "Infinity": ("RFC 8259 §6", lambda claims: claims[:-1] + b',"a":-Infinity}'),
    "nested 1,000 deep": ("CVE-2025-61920", lambda claims: b'{"a":' * 1000 + b"1" + b"}" * 1000),
    "a number of 5,000 digits": (
        "CVE-2020-10735",
        lambda claims: claims[:-1] + b',"a":' + b"9" * 5000 + b"}",
    ),
    "a claim twice": ("RFC 7519 §4, RFC 8725 §2.6", lambda claims: claims[:-1] + b',"sub":"x"}'),
    "a claim twice, once escaped": (
        "RFC 7519 §4",
        lambda claims: claims[:-1] + b',"\\u0073ub":"x"}',
    ),
    "UTF-16": ("RFC 8725 §2.6", lambda claims: claims.decode().encode("utf-16")),
    "UTF-16 without a byte order mark": (
        "RFC 8725 §2.6",
        lambda claims: claims.decode().encode("utf-16-le"),
    ),
    "UTF-32": ("RFC 8725 §2.6", lambda claims: claims.decode().encode("utf-32")),
    "a byte order mark": ("RFC 8259 §8.1", lambda claims: b"\xef\xbb\xbf" + claims),
    "bytes that are not UTF-8": ("RFC 8725 §3.7", lambda claims: claims[:-1] + b',"a":"\xff"}'),
    "an overlong encoding": ("RFC 3629 §3", lambda claims: claims[:-1] + b',"a":"\xc0\xaf"}'),
    "trailing data": ("RFC 8259 §2", lambda claims: claims + b"{}"),
    "a comment": ("RFC 8259 §2", lambda claims: b"/**/" + claims),
    "compressed": ("rfc8725bis §2.12, CVE-2025-62706", zlib.compress),
    "a decompression bomb": (
        "rfc8725bis §2.12, CVE-2024-33664",
        lambda claims: zlib.compress(bytes(1 << 20)),
    ),
    "another token": ("RFC 7519 §5.2", lambda claims: b"eyJhbGciOiJub25lIn0.e30."),
}

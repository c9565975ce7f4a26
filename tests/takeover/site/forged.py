"""Twenty forgeries of each kind, made with the former site's own key wherever the kind allows."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

import jwt
from rest_framework_simplejwt.settings import api_settings as theirs

from tokens.jose.base64url import write_bytes
from tokens.models import SigningKey

EACH = 20
HOSTILE_IDS: list[Any] = [
    "no such user",
    "0",
    "-1",
    "9" * 200,
    str(2**63),
    "1 OR 1=1",
    "' OR ''='",
    "\x00",
    "user\x00",
    " ",
    "",
    "None",
    "１",  # noqa: RUF001
    [],
    {},
    None,
    True,
    1.5,
    2**70,
    {"pk": 1},
]


def tokens(
    people: list[dict[str, Any]], *, cut_over: datetime, each: int = EACH
) -> Iterator[tuple[str, str, bool]]:
    """Yield the kind, the token, and whether it is presented as a refresh token."""
    some = list(islice(cycle(people), each))
    for n, person in enumerate(some):
        for as_refresh in (True, False):
            members = _members(person, as_refresh)
            other = "HS512" if theirs.ALGORITHM.startswith("HS") else "RS512"
            yield "none", _unsigned(members), as_refresh
            yield "another algorithm", _signed(members, algorithm=other), as_refresh
            yield "another key", _hmac(members, "another key, long enough: " + "0" * 40), as_refresh
            yield "a key as a secret", _hmac(members, _public()), as_refresh
            yield "the other type", _signed(_members(person, not as_refresh)), as_refresh
            for claim in ("exp", "iat", "jti", "token_type", theirs.USER_ID_CLAIM):
                left = {name: value for name, value in members.items() if name != claim}
                yield f"no {claim}", _signed(left), as_refresh
            late = int(cut_over.timestamp()) + 1
            yield "after the cut-over", _signed({**members, "iat": late}), as_refresh
            hostile = {**members, theirs.USER_ID_CLAIM: HOSTILE_IDS[n]}
            yield "a hostile user id", _signed(hostile), as_refresh
            kid = ("simplejwt", SigningKey.objects.values_list("kid", flat=True)[0], "", 5)[n % 4]
            yield "an added kid", _signed(members, headers={"kid": kid}), as_refresh
            past = int((cut_over - timedelta(days=1)).timestamp())
            yield "expired", _signed({**members, "exp": past}), as_refresh
            payload = {**members, theirs.USER_ID_CLAIM: some[n - 1]["name"]}
            yield "another payload", _spliced(_signed(members), payload), as_refresh


def _members(person: dict[str, Any], as_refresh: bool) -> dict[str, Any]:
    raw = person["refresh" if as_refresh else "access"]
    members: dict[str, Any] = jwt.decode(raw, options={"verify_signature": False})
    return {**members, "jti": uuid4().hex}


def _signed(members: dict[str, Any], *, algorithm: str = "", headers: Any = None) -> str:
    # By hand, because PyJWT refuses to write some of these headers and claims.
    name = algorithm or theirs.ALGORITHM
    header = {"alg": name, "typ": "JWT", **(headers or {})}
    signing_input = f"{_part(header)}.{_part(members)}"
    method = jwt.PyJWS().get_algorithm_by_name(name)
    signature = method.sign(signing_input.encode(), method.prepare_key(theirs.SIGNING_KEY))
    return f"{signing_input}.{write_bytes(signature)}"


def _hmac(members: dict[str, Any], secret: str) -> str:
    """Sign with any text, also one that PyJWT refuses as a secret."""
    import hashlib
    import hmac

    signing_input = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(members)}"
    digest = hmac.new(secret.encode(), signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{write_bytes(digest)}"


def _public() -> str:
    """Return the public key; for HMAC the setting that holds none, and an empty secret."""
    return str(theirs.VERIFYING_KEY or "")


def _unsigned(members: dict[str, Any]) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(members)}."


def _spliced(raw: str, members: dict[str, Any]) -> str:
    header, _, signature = raw.split(".")
    return f"{header}.{_part(members)}.{signature}"


def _part(members: dict[str, Any]) -> str:
    return write_bytes(json.dumps(members).encode())

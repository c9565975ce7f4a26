"""
Turn claims into a compact JWS and back. Besides ``unnamed``, the only module that imports PyJWT.

It uses no database, request or clock: the caller passes the key and the time.

A token is read in the order of RFC 8725: its format and size (§3.11), the key that ``kid``
names, the algorithm that is bound to this key (§3.1), the signature, the type (§3.11), then
the claims. Nothing in a token decides how it is verified.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

import jwt
from jwt.algorithms import get_default_algorithms

from ..errors import (
    BadSignature,
    Expired,
    KeyRingError,
    Malformed,
    WithoutKeyID,
    WrongClaims,
    WrongType,
)
from ..secret import RawToken, Secret, hide, hides_locals
from .base64url import read_bytes, read_object, write_bytes, write_object
from .claims import REGISTERED_CLAIMS, Claims, TokenType
from .jti import parse_jti

# In characters. Tokens issued here have 300 to 1,000, more with a project's own claims. Size and
# format are checked before any parsing (RFC 8725 §3.11).
MAX_TOKEN_LENGTH = 8192
COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

_ALGORITHMS = get_default_algorithms()

# All tokens of one key and type have the same header. Any other header costs its parsing only.
_read_header = lru_cache(maxsize=32)(read_object)

# Returns the key that a ``kid`` names for a type of token.
FindKey = Callable[[str, TokenType], "Key"]

MAX_NUMERIC_DATE = 253402300799  # 9999-12-31T23:59:59Z, the last second a datetime can hold.


@dataclass(frozen=True)
class Key:
    """
    One key for one algorithm (RFC 8725 §3.1). The repr does not show the key material.

    ``public`` is the half that verifies. It is None for HMAC, where one secret signs and verifies.
    The first use checks that the key is fit for the algorithm, for example that an HMAC secret is
    not a public key. It raises KeyRingError if the key is unfit.
    """

    kid: str
    algorithm: str
    material: Any = field(repr=False)
    public: Any = field(default=None, repr=False)

    @cached_property
    def to_sign(self) -> Any:
        return self._prepared(self.material)

    @cached_property
    def to_verify(self) -> Any:
        return self._prepared(self.public or self.material)

    @hides_locals
    def _prepared(self, material: Any) -> Any:
        algorithm = _ALGORITHMS[self.algorithm]
        try:
            prepared = algorithm.prepare_key(material)
        except jwt.InvalidKeyError as error:
            raise KeyRingError(f"Key {self.kid} is unfit for {self.algorithm}: {error}") from None
        if too_short := algorithm.check_key_length(prepared):
            raise KeyRingError(f"Key {self.kid} is unfit for {self.algorithm}: {too_short}")
        return prepared


@dataclass(frozen=True, slots=True)
class _Parts:
    """The three parts of a token. The repr does not show what makes it valid."""

    header: str
    payload: str = field(repr=False)
    signature: str = field(repr=False)


@hides_locals
def encode(claims: Claims, *, key: Key) -> str:
    """
    Return the compact JWS of ``claims``, signed by ``key`` (RFC 7515 §5.1).

    Raises ValueError or TypeError for claims that JSON cannot hold, KeyRingError for an unfit key.
    """
    return sign(claims.as_json(), typ=claims.type.value, key=key)


@hides_locals
def sign(members: Mapping[str, Any], *, typ: str, key: Key) -> str:
    """Return the compact JWS of a payload that need not be a token's. Raises as ``encode`` does."""
    header = _write_header(typ, key.kid, key.algorithm)
    signing_input = f"{header}.{write_object(members)}"
    signature = _ALGORITHMS[key.algorithm].sign(signing_input.encode(), key.to_sign)
    return f"{signing_input}.{write_bytes(signature)}"


def read_signed(raw_token: RawToken, *, find_key: FindKey) -> tuple[Claims, Key]:
    """
    Return the claims of a token and the key that signed it, without checking the claims.

    ``find_key`` is called once with the ``kid`` and the type, before anything is verified, so it
    must not trust them. A token whose ``typ`` is unknown counts as an access token, until its
    signature has been verified. Raises Malformed, BadSignature, WrongType, and what ``find_key``
    raises.
    """
    raw_token = hide(raw_token)
    parts = _split(raw_token)
    header = _read_header(parts.header)
    kid = header.get("kid")
    if "kid" not in header:
        raise WithoutKeyID("The JOSE header has no kid.")
    if not isinstance(kid, str):
        raise Malformed("The JOSE header has a kid that is not a string.")
    if "crit" in header or header.get("b64", True) is not True:
        # RFC 7515 §4.1.11: a critical extension that is not understood must be refused. RFC 7797's
        # unencoded payload ("b64": false) is refused too.
        raise Malformed("The JOSE header has critical extensions.")
    typ = header.get("typ")
    # RFC 8725 §3.12: each type has a key of its own, so neither passes for the other.
    is_refresh = typ == TokenType.REFRESH.value
    key = find_key(kid, TokenType.REFRESH if is_refresh else TokenType.ACCESS)
    if header.get("alg") != key.algorithm:
        # RFC 8725 §3.1: the key decides the algorithm, never the token.
        raise BadSignature(f"The token is not signed with {key.algorithm}, as key {key.kid} signs.")
    _verify_signature(parts, key)
    return _read_claims(read_object(parts.payload), kid=kid, typ=typ), key


def check(
    claims: Claims,
    *,
    issuer: str,
    audience: str,
    now: datetime,
    leeway: timedelta,
    type: TokenType | None = None,
    verify_exp: bool = True,
) -> None:
    """
    Raise WrongType, WrongClaims or Expired unless the claims are good here at ``now``.

    An access token that was issued after ``now`` is refused. A refresh token is not, because its
    session's row can vouch for it: the caller checks its time of issue with ``check_issued``.
    """
    if type is not None and claims.type is not type:
        raise WrongType(f"The token is {claims.type}, not {type}.")
    if claims.iss != issuer or claims.aud != audience:
        raise WrongClaims("The token has another issuer or another audience.")
    instant, slack = now.timestamp(), leeway.total_seconds()
    if claims.nbf is not None and claims.nbf > instant + slack:
        raise WrongClaims("The token is not good yet (RFC 7519 §4.1.5).")
    if verify_exp and instant >= claims.exp + slack:
        # RFC 7519 §4.1.4: the token must not be accepted "on or after" this time.
        raise Expired(f"The token expired at {claims.expires_at:%Y-%m-%dT%H:%M:%SZ}.")
    if claims.type is TokenType.ACCESS:
        check_issued(claims, now=now, leeway=leeway)


def check_issued(claims: Claims, *, now: datetime, leeway: timedelta) -> None:
    """Raise WrongClaims for claims that were issued after ``now``."""
    if claims.iat > now.timestamp() + leeway.total_seconds():
        raise WrongClaims("The token was issued in the future: do the hosts' clocks agree?")


@hides_locals
def load_key(jwk: Mapping[str, Any]) -> Key:
    """Return the key that a private JWK with ``kid`` and ``alg`` describes (RFC 7517 §4)."""
    material = _ALGORITHMS[jwk["alg"]].from_jwk(dict(jwk))
    public = None if isinstance(material, bytes) else material.public_key()
    return Key(jwk["kid"], jwk["alg"], material, public)


def to_jwk(material: Any, algorithm: str) -> dict[str, Any]:
    """Return the private JWK of key material, without ``kid`` and ``alg`` (RFC 7517 §4)."""
    return dict(_ALGORITHMS[algorithm].to_jwk(material, as_dict=True))


@lru_cache(maxsize=32)
def _write_header(typ: str, kid: str, alg: str) -> str:
    return write_object({"alg": alg, "kid": kid, "typ": typ})


@hides_locals
def _split(raw_token: Secret[str]) -> _Parts:
    text = raw_token.reveal()
    if len(text) > MAX_TOKEN_LENGTH or not COMPACT_JWS.fullmatch(text):
        raise Malformed("The token is not three base64url parts, or is too long.")
    return _Parts(*text.split("."))


@hides_locals
def _verify_signature(parts: _Parts, key: Key) -> None:
    # PyJWT's own JWS functions would parse the header and the payload again.
    signing_input = f"{parts.header}.{parts.payload}".encode()
    signature = read_bytes(parts.signature)
    if not _ALGORITHMS[key.algorithm].verify(signing_input, key.to_verify, signature):
        raise BadSignature(f"Key {key.kid} did not sign this token.")


def _read_claims(members: dict[str, Any], *, kid: str, typ: Any) -> Claims:
    try:
        token_type = TokenType(typ)
    except ValueError:
        raise WrongType("The token's typ is not one of those issued here.") from None
    jti, sid = _text(members, "jti"), _uuid(members, "sid")
    generation = _whole_number(members, "gen") if token_type is TokenType.REFRESH else None
    _check_jti(jti, sid, generation, token_type)
    return Claims(
        type=token_type,
        kid=kid,
        iss=_text(members, "iss"),
        aud=_text(members, "aud"),
        sub=_text(members, "sub"),
        iat=_whole_number(members, "iat"),
        exp=_whole_number(members, "exp"),
        jti=jti,
        sid=sid,
        nbf=_whole_number(members, "nbf") if "nbf" in members else None,
        generation=generation,
        extra=MappingProxyType(
            {name: value for name, value in members.items() if name not in REGISTERED_CLAIMS}
        ),
    )


def _check_jti(jti: str, sid: UUID, generation: int | None, type: TokenType) -> None:
    parsed = parse_jti(jti)
    if parsed is None or (parsed[0], parsed[2]) != (sid, type):
        raise Malformed("The claim jti is not that of this session and type.")
    if generation is not None and parsed[1] != generation:
        raise Malformed("The claim jti is not that of this generation.")


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"The claim {name} is missing or not a string.")
    if "\0" in value or not _is_unicode(value):
        # A database cannot store it, and raises an error when it is asked for it.
        raise Malformed(f"The claim {name} holds a NUL or half a surrogate pair.")
    return value


def _is_unicode(value: str) -> bool:
    """Return whether UTF-8 can encode it. JSON can hold half a surrogate pair (RFC 8259 §8.2)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _whole_number(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    # Python counts bool as int, but true is no NumericDate.
    if type(value) is not int or not 0 <= value <= MAX_NUMERIC_DATE:
        raise Malformed(f"The claim {name} is missing or not a whole number in range.")
    return value


def _uuid(members: dict[str, Any], name: str) -> UUID:
    text = _text(members, name)
    try:
        value = UUID(text)
    except ValueError:
        raise Malformed(f"The claim {name} is not a UUID.") from None
    if str(value) != text:
        # UUID() also accepts braces, URNs and capitals. The denylist compares one spelling only.
        raise Malformed(f"The claim {name} is not in its canonical spelling.")
    return value

"""
Turn claims into a compact JWS and back. The only module that imports PyJWT.

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

from ..errors import BadSignature, Expired, KeyRingError, Malformed, WrongClaims, WrongType
from .base64url import read_bytes, read_object, write_bytes, write_object
from .claims import REGISTERED_CLAIMS, Claims, TokenType

# In characters. Tokens issued here have 300 to 1,000, more with a project's own claims. Size and
# format are checked before any parsing (RFC 8725 §3.11).
MAX_TOKEN_LENGTH = 8192
COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

_ALGORITHMS = get_default_algorithms()

# All tokens of one key and type have the same header. Any other header costs its parsing only.
_read_header = lru_cache(maxsize=32)(read_object)

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

    def _prepared(self, material: Any) -> Any:
        algorithm = _ALGORITHMS[self.algorithm]
        try:
            prepared = algorithm.prepare_key(material)
        except jwt.InvalidKeyError as error:
            raise KeyRingError(f"Key {self.kid} is unfit for {self.algorithm}: {error}") from None
        if too_short := algorithm.check_key_length(prepared):
            raise KeyRingError(f"Key {self.kid} is unfit for {self.algorithm}: {too_short}")
        return prepared


def encode(claims: Claims, *, key: Key) -> str:
    """
    Return the compact JWS of ``claims``, signed by ``key`` (RFC 7515 §5.1).

    Raises ValueError or TypeError for claims that JSON cannot hold, KeyRingError for an unfit key.
    """
    header = _write_header(claims.type.value, key.kid, key.algorithm)
    signing_input = f"{header}.{write_object(claims.as_json())}"
    signature = _ALGORITHMS[key.algorithm].sign(signing_input.encode(), key.to_sign)
    return f"{signing_input}.{write_bytes(signature)}"


def read_signed(raw_token: str, *, find_key: Callable[[str], Key]) -> tuple[Claims, Key]:
    """
    Return the claims of a token and the key that signed it, without checking the claims.

    ``find_key`` is called once with the ``kid``, before anything is verified, so it must not trust
    the value. Raises Malformed, BadSignature, WrongType, and what ``find_key`` raises.
    """
    if len(raw_token) > MAX_TOKEN_LENGTH or not COMPACT_JWS.fullmatch(raw_token):
        raise Malformed("The token is not three base64url parts, or is too long.")
    header_part, payload_part, signature_part = raw_token.split(".")
    header = _read_header(header_part)
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise Malformed("The JOSE header has no kid, or one that is not a string.")
    if "crit" in header or header.get("b64", True) is not True:
        # RFC 7515 §4.1.11: a critical extension that is not understood must be refused. RFC 7797's
        # unencoded payload ("b64": false) is refused too.
        raise Malformed("The JOSE header has critical extensions.")
    key = find_key(kid)
    if header.get("alg") != key.algorithm:
        # RFC 8725 §3.1: the key decides the algorithm, never the token.
        raise BadSignature(f"The token is not signed with {key.algorithm}, as key {key.kid} signs.")
    _verify_signature(f"{header_part}.{payload_part}", signature_part, key)
    return _read_claims(read_object(payload_part), kid=kid, typ=header.get("typ")), key


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


def _verify_signature(signing_input: str, signature_part: str, key: Key) -> None:
    # PyJWT's own JWS functions would parse the header and the payload again.
    signature = read_bytes(signature_part)
    if not _ALGORITHMS[key.algorithm].verify(signing_input.encode(), key.to_verify, signature):
        raise BadSignature(f"Key {key.kid} did not sign this token.")


def _read_claims(members: dict[str, Any], *, kid: str, typ: Any) -> Claims:
    try:
        token_type = TokenType(typ)
    except ValueError:
        raise WrongType("The token's typ is not one of those issued here.") from None
    refresh = token_type is TokenType.REFRESH
    return Claims(
        type=token_type,
        kid=kid,
        iss=_text(members, "iss"),
        aud=_text(members, "aud"),
        sub=_text(members, "sub"),
        iat=_whole_number(members, "iat"),
        exp=_whole_number(members, "exp"),
        jti=_text(members, "jti"),
        sid=_uuid(members, "sid"),
        nbf=_whole_number(members, "nbf") if "nbf" in members else None,
        generation=_whole_number(members, "gen") if refresh else None,
        extra=MappingProxyType(
            {name: value for name, value in members.items() if name not in REGISTERED_CLAIMS}
        ),
    )


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"The claim {name} is missing or not a string.")
    return value


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

"""The claims of a token, and the two token types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any
from uuid import UUID

REGISTERED_CLAIMS = frozenset({"iss", "aud", "sub", "iat", "nbf", "exp", "jti", "sid", "gen"})


class TokenType(StrEnum):
    """The ``typ`` of the JOSE header, which keeps the two types apart (RFC 8725 §3.11)."""

    ACCESS = "at+jwt"
    REFRESH = "rt+jwt"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """
    A JWT Claims Set (RFC 7519 §4), and the ``type`` and ``kid`` of its JOSE header.

    ``iat``, ``nbf`` and ``exp`` are whole seconds since 1970 in UTC; no token issued here has
    ``nbf``. ``generation`` is None in an access token. ``extra`` holds the claims that the
    project's claims hook added.
    """

    type: TokenType
    kid: str
    iss: str
    aud: str
    sub: str
    iat: int
    exp: int
    jti: str
    sid: UUID
    nbf: int | None = None
    generation: int | None = None
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def ids(self) -> tuple[str, str, str]:
        """The ids by which the token can be denied: its ``jti``, ``sid`` and ``kid``."""
        return self.jti, str(self.sid), self.kid

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.exp, UTC)

    def as_json(self) -> dict[str, Any]:
        """Return the claims as the members of the token's payload."""
        members: dict[str, Any] = {
            **self.extra,
            "iss": self.iss,
            "aud": self.aud,
            "sub": self.sub,
            "iat": self.iat,
            "exp": self.exp,
            "jti": self.jti,
            "sid": str(self.sid),
        }
        if self.nbf is not None:
            members["nbf"] = self.nbf
        if self.generation is not None:
            members["gen"] = self.generation
        return members

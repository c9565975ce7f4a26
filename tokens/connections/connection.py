"""One open connection, which its holder renews or closes."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from logging import getLogger
from typing import TYPE_CHECKING

from ..errors import Expired, WrongClaims, WrongType
from ..jose import Claims, TokenType
from ..sessions import Accepted
from .ends import End

if TYPE_CHECKING:
    from .registry import Registry
    from .watcher import Watcher

logger = getLogger("tokens")


class Connection:
    """
    An open connection and the claims of its newest access token.

    As a context manager it is closed at the end of the block.
    """

    __slots__ = (
        "__weakref__",
        "_on_end",
        "_registry",
        "accepted",
        "claims",
        "context",
        "judged_at",
        "second",
        "watcher",
    )

    def __init__(
        self,
        registry: Registry,
        watcher: Watcher,
        claims: Claims,
        on_end: Callable[[End], None],
        context: Context | None,
    ) -> None:
        self._registry = registry
        self._on_end: Callable[[End], None] | None = on_end
        self.watcher = watcher
        self.claims = claims
        self.context = context  # In which it is judged; None if nothing reads it.
        self.accepted: Accepted | None = None  # What accepted the token the last time.
        self.judged_at = 0.0  # By clock.elapsed(), when the latest judgement began.
        self.second = 0  # In which the registry ends it, if its token is the same then.

    @property
    def is_open(self) -> bool:
        return self._on_end is not None

    def renew(self, claims: Claims) -> None:
        """
        Take a newer access token of the same session and user; the caller has authenticated it.

        Raises WrongType, WrongClaims for another session or user, and Expired for an older token.
        """
        if claims.type is not TokenType.ACCESS:
            raise WrongType("Only an access token renews a connection.")
        if (claims.sid, claims.sub) != (self.claims.sid, self.claims.sub):
            raise WrongClaims(f"The token is not one of session {self.claims.sid} and its user.")
        if claims.exp < self.claims.exp:
            raise Expired(f"Token {claims.jti} expires before the one that the connection has.")
        self._registry.renew(self, claims)

    def close(self) -> None:
        """Stop watching the connection. Nothing happens if it is closed or has ended."""
        self._on_end = None
        self._registry.remove(self)

    def end(self, end: End) -> None:
        """Tell the holder that the connection ends, once."""
        on_end, self._on_end = self._on_end, None
        self._registry.remove(self)
        if on_end is None:
            return
        try:
            on_end(end)
        except Exception:
            logger.exception("a connection could not be told that it ends")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

"""
Why a token or an attempt to sign in is refused.

    TokenError
    ├── NotSignedHere           junk: nothing shows that this site has issued it
    │   ├── Malformed           not a JWT, or not one of the shape issued here
    │   │   └── WithoutKeyID    a JWT whose header has no ``kid``
    │   ├── UnknownKey          its ``kid`` names no key that verifies
    │   └── BadSignature        the key exists and did not sign this
    ├── WrongClaims             another issuer, another audience, issued in the future
    ├── WrongType               an access token where a refresh token belongs, or the reverse
    ├── Expired                 its ``exp``, or the session's own limit, has passed
    ├── Denied                  its ``jti``, ``sid`` or ``kid`` is on the denylist
    ├── SessionEnded            its session was ended
    │   └── RefreshTokenReused  by this very request: a rotated token came back
    └── UserRefused             the signature is good, the person may not come in
        ├── UserGone
        ├── UserInactive
        └── PasswordChanged
    KeyRingError                the server's own trouble, never the caller's
    ClaimsError                 a claim of the project's own that no token can hold
    TooManyAttempts             the caller, or the account, has to wait
    TooManyAtOnce               the process checks as many passwords as it may

An error says why to logs and staff. ``http`` alone decides what a caller hears.
"""

from datetime import timedelta
from math import ceil


class TokenError(Exception):
    """The token is refused; ``str(error)`` is for logs and staff."""


class NotSignedHere(TokenError):
    """
    Junk: a token that no key of this site is known to have signed. Anyone can make it.

    Every other TokenError means that a key of the key ring verified the signature, so the token was
    issued by this site and was good once. Limits per address count junk only.

    A token that was issued here becomes junk when its key leaves the key ring, because nothing can
    prove it any more.
    """


class Malformed(NotSignedHere):
    pass


class WithoutKeyID(Malformed):
    """Its header names no key, so it is not one of those issued here."""


class UnknownKey(NotSignedHere):
    pass


class BadSignature(NotSignedHere):
    pass


class WrongClaims(TokenError):
    pass


class WrongType(TokenError):
    pass


class Expired(TokenError):
    pass


class Denied(TokenError):
    pass


class SessionEnded(TokenError):
    pass


class RefreshTokenReused(SessionEnded):
    pass


class UserRefused(TokenError):
    pass


class UserGone(UserRefused):
    pass


class UserInactive(UserRefused):
    pass


class PasswordChanged(UserRefused):
    pass


class KeyRingError(Exception):
    """The key ring cannot be used: ``str(error)`` says what happened, ``hint`` what to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        if hint:
            self.add_note(hint)  # Shown in tracebacks, such as that of /readyz in the log.


def with_hint(error: Exception) -> str:
    """Return the error's message, followed by its hint if it has one."""
    return f"{error} {getattr(error, 'hint', '')}".strip()


class ClaimsError(Exception):
    """The project's claims cannot stand in a token; the message names the claim."""


class _Wait(Exception):
    """The same attempt may be made again after ``wait``."""

    wait: timedelta

    @property
    def retry_after(self) -> int:
        """Return the wait in whole seconds, for ``Retry-After`` (RFC 9110 §10.2.3)."""
        return max(1, ceil(self.wait.total_seconds()))


class TooManyAttempts(_Wait):
    """The limit of the caller, the account or the site is reached."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"The next attempt is possible in {wait.total_seconds():.1f} s.")
        self.wait = wait


class TooManyAtOnce(_Wait):
    """This process checks as many passwords as it may. The attempt to sign in was not counted."""

    wait = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__("Too many passwords are being checked at once.")

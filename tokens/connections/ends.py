"""Why a connection ends, as its client is told."""

from dataclasses import dataclass

from ..errors import Denied, PasswordChanged, TokenError, UserRefused

# A private code (RFC 6455 §7.4.2), after the status 401.
WEBSOCKET_CLOSE_CODE = 4401


@dataclass(frozen=True, slots=True)
class End:
    """
    Why a connection ends.

    ``code`` is for programs, and ``reason`` a short text that fits into a close frame, which holds 123
    bytes (RFC 6455 §5.5.1). Neither says more than that to the client.
    """

    code: str
    reason: str


SESSION_ENDED = End("session_ended", "The session has ended. Sign in again.")
TOKEN_DENIED = End("token_denied", "The access token was revoked. Connect with another one.")
TOKEN_EXPIRED = End("token_expired", "The access token has expired. Connect with a new one.")
USER_REFUSED = End("user_refused", "The user may no longer come in.")
UNAVAILABLE = End("unavailable", "The session cannot be checked now. Connect again later.")


def end_by(error: Exception) -> End:
    """Return what the client is told when the strict rule refuses the token for this reason."""
    if not isinstance(error, TokenError):
        return UNAVAILABLE  # TOKENS_USER_RULE could not say whether it does.
    if isinstance(error, Denied):
        return TOKEN_DENIED
    if isinstance(error, UserRefused) and not isinstance(error, PasswordChanged):
        return USER_REFUSED
    return SESSION_ENDED

"""Verify Latchkey's access tokens in your own service, and refuse revoked ones within a second."""

from .errors import InvalidToken, NoToken, Unavailable, VerifyError
from .verifier import Token, Verifier

__all__ = ["InvalidToken", "NoToken", "Token", "Unavailable", "Verifier", "VerifyError"]
__version__ = "1.0.0rc1"

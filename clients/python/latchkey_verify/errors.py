"""
What can be wrong with a call of ``verify``. Neither message nor attribute holds the token.

VerifyError
├── InvalidToken   answer 401: the token is bad, expired or denied
└── Unavailable    answer 503: the token cannot be checked at the moment, so try again later
"""


class VerifyError(Exception):
    status = 500
    headers: tuple[tuple[str, str], ...] = ()
    body = b""


class InvalidToken(VerifyError):
    status = 401
    headers = (("WWW-Authenticate", 'Bearer realm="api", error="invalid_token"'),)
    body = b'{"detail": "Given token not valid for any token type", "code": "token_not_valid"}'


class NoToken(InvalidToken):
    headers = (("WWW-Authenticate", 'Bearer realm="api"'),)
    body = b'{"detail": "Authentication credentials were not provided."}'


class Unavailable(VerifyError):
    status = 503
    headers = (("Retry-After", "1"),)
    body = b'{"detail": "Tokens cannot be checked at the moment."}'


class RefusedDocument(Exception):
    """A document of the feed that proves nothing, so the reader keeps what it has."""

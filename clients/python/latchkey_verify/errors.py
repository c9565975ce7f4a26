"""What can be wrong with a call of ``verify``. Neither message nor attribute holds the token."""

JSON = ("Content-Type", "application/json")


class VerifyError(Exception):
    """``status``, ``headers`` and ``body`` are the answer to the request."""

    status = 500
    headers: tuple[tuple[str, str], ...] = (JSON,)
    body = b"{}"


class InvalidToken(VerifyError):
    """The token is bad, expired or denied."""

    status = 401
    headers = (("WWW-Authenticate", 'Bearer realm="api", error="invalid_token"'), JSON)
    body = b'{"detail": "Given token not valid for any token type", "code": "token_not_valid"}'


class NoToken(InvalidToken):
    headers = (("WWW-Authenticate", 'Bearer realm="api"'), JSON)
    body = b'{"detail": "Authentication credentials were not provided."}'


class Unavailable(VerifyError):
    """The token cannot be checked at the moment, so the client may try again later."""

    status = 503
    headers = (("Retry-After", "1"), JSON)
    body = b'{"detail": "Tokens cannot be checked at the moment."}'


class RefusedDocument(Exception):
    """A document of the feed that proves nothing, so the reader keeps what it has."""

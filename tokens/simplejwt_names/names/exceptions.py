"""The exceptions of simplejwt, with its words and codes."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status


class TokenError(Exception):
    """A token is refused. ``__cause__`` is the TokenError of this app that says why."""


class ExpiredTokenError(TokenError):
    pass


class TokenBackendError(Exception):
    pass


class TokenBackendExpiredToken(TokenBackendError):
    pass


class DetailDictMixin:
    """The answer is an object with ``detail`` and ``code``, and what a caller adds."""

    default_detail: Any
    default_code: str

    def __init__(self, detail: Any = None, code: str | None = None) -> None:
        more = detail if isinstance(detail, dict) else {} if detail is None else {"detail": detail}
        members = {"detail": self.default_detail, "code": self.default_code, **more}
        if code is not None:
            members["code"] = code
        # The second argument is for exception handlers that ask get_codes().
        super().__init__(members, members["code"])  # type: ignore[call-arg]


class AuthenticationFailed(DetailDictMixin, exceptions.AuthenticationFailed):
    pass


class InvalidToken(AuthenticationFailed):
    status_code = status.HTTP_401_UNAUTHORIZED
    default_detail = _("Token is invalid or expired")
    default_code = "token_not_valid"

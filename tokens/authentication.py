"""The DRF authentication classes. They call ``sessions``, which decides."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from . import sessions
from .api import cookies, http
from .errors import KeyRingError, TokenError
from .jose import Claims


class JWTAuthentication(BaseAuthentication):
    """
    Set ``request.user`` to the user and ``request.auth`` to the Claims of the access token.

    The token comes from the Authorization header or, if that has no bearer credential, from the
    access cookie. A request by cookie with an unsafe method requires Django's CSRF token. A
    request without either stays anonymous. The decision takes one query at most.
    """

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        raw_access = http.bearer(request)
        if raw_access is not None:
            return self._authenticate(raw_access)
        raw_access = cookies.find_access(request)
        if raw_access is None:
            return None
        try:
            found = self._authenticate(raw_access)
        except AuthenticationFailed:
            cookies.refuse_access(request)
            raise
        cookies.require_csrf(request)
        return found

    def authenticate_header(self, request: Request) -> str:
        if cookies.is_access_refused(request):
            return http.CHALLENGE_INVALID_TOKEN
        return http.challenge(request)

    def _authenticate(self, raw_access: str) -> tuple[Any, Claims]:
        try:
            found = sessions.authenticate(raw_access)
        except TokenError as error:
            raise http.request_refusal(error) from None
        except KeyRingError as error:
            # An APIException: after any other exception, DRF authenticates again while it renders
            # the answer for a browser.
            raise http.ring_unavailable(error) from None
        return found.user, found.claims


class OptionalJWTAuthentication(JWTAuthentication):
    """For public views: a request with a refused token is anonymous instead of a 401."""

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            return None

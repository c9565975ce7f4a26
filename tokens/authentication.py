"""The DRF authentication classes: thin doors onto ``sessions``."""

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
    Afterwards ``request.user`` is the user and ``request.auth`` the Claims of the access token.

    One query decides it all. The token is the header's, or without a bearer credential there the
    cookie's; an unsafe request by cookie needs Django's CSRF token. A request with neither stays
    anonymous.
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
            # An APIException, or DRF asks here again while it renders the answer for a browser.
            raise http.ring_unavailable(error) from None
        return found.user, found.claims


class OptionalJWTAuthentication(JWTAuthentication):
    """For views that are open to everybody: whoever brings a bad token is anonymous there."""

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            return None

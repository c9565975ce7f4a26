"""The DRF authentication class: a thin door onto ``sessions``."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from . import http, sessions
from .codec import Claims
from .errors import TokenError


class JWTAuthentication(BaseAuthentication):
    """
    Afterwards ``request.user`` is the user and ``request.auth`` the Claims of the access token.

    One query decides it all. A request without a bearer credential stays anonymous.
    """

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        raw_access = http.bearer(request)
        if raw_access is None:
            return None
        try:
            found = sessions.authenticate(raw_access)
        except TokenError as error:
            raise http.request_refusal(error) from None
        return found.user, found.claims

    def authenticate_header(self, request: Request) -> str:
        return http.challenge(request)

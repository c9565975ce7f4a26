"""The DRF authentication class for views that accept tickets."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from .. import clock, sessions
from ..api import cookies, http
from ..errors import Malformed, TokenError
from ..jose import Claims, TokenType
from ..secret import Secret
from . import hiding, issuing


class TicketAuthentication(BaseAuthentication):
    """
    Accept a single-use ticket in ``?ticket=``, which POST /api/token/ticket/ has returned.

    ``request.user`` and ``request.auth`` are those of the access token with which it was requested. A
    request without a ticket is left to the next class. List this class before ``JWTAuthentication``.
    """

    # The system checks look for it.
    authenticates_tokens = True

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        ticket = hiding.ticket_of(request._request)
        if ticket is None:
            return None
        http.note_private_address(request)
        try:
            claims, session = self._redeem(request, ticket)
        except TokenError as error:
            raise http.request_refusal(error) from None
        except http.DATABASE_ERRORS as error:
            raise http.database_unavailable(error) from None
        http.note_authenticated(request)
        return session.user, claims

    def authenticate_header(self, request: Request) -> str:
        return http.challenge_to_refused_token()

    def _redeem(self, request: Request, ticket: Secret[str]) -> tuple[Claims, Any]:
        # RFC 6750 §2: a request has one credential only.
        if http.bearer(request) is not None:
            raise Malformed("The request has a ticket and an Authorization header.")
        claims, session = issuing.redeem(
            ticket, method=request.method or "", path=request.path, now=clock.now()
        )
        # Otherwise a link that an attacker made would let this browser act as the attacker.
        if self._user_of_cookie(request) not in {None, claims.sub}:
            raise Malformed("The ticket belongs to another user than the access cookie.")
        return claims, session

    def _user_of_cookie(self, request: Request) -> str | None:
        raw_access = cookies.find_access(request)
        if raw_access is None:
            return None
        try:
            return sessions.read_claims(
                raw_access, type=TokenType.ACCESS, now=clock.now(), verify_exp=False
            ).sub
        except TokenError:
            return None

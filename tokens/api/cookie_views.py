"""Sign-in and refresh for browsers, with the tokens in cookies that no script can read."""

from django.middleware.csrf import get_token, rotate_token
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .. import sessions
from ..client import client_of
from ..errors import TokenError
from ..limits import devices
from ..sessions import TokenPair
from . import cookies, schema, token_limits
from .http import Unauthorized, body_refusal
from .openapi import extend_schema
from .serializers import CSRFTokenSerializer, EmptySerializer, LifetimesSerializer
from .views import SignInView, TokenView


def answer_by_cookie(pair: TokenPair) -> Response:
    """Return an answer with the tokens in its cookies and only their lifetimes in its body."""
    response = Response(LifetimesSerializer(pair).data)
    cookies.set_pair(response, pair)
    return response


def refresh_by_cookie(request: Request) -> TokenPair:
    """
    Exchange the refresh cookie for the next pair, which the answer still has to set.

    Raises Unauthorized without the cookie, PermissionDenied without the CSRF token, and TokenError.
    """
    raw_refresh = cookies.find_refresh(request)
    if raw_refresh is None:
        raise Unauthorized({"detail": str(NotAuthenticated.default_detail)})
    cookies.require_csrf(request)
    limit = token_limits.REFRESH
    with limit.counting_junk(request):
        return sessions.refresh(
            raw_refresh,
            client=client_of(request),
            check=cookies.check_size,
            admit=limit.count_session,
        )


class CookieSignInView(SignInView):
    """
    Sign in from a page of the same site, with the tokens in cookies that no script can read.

    Requires Django's CSRF token. Otherwise another site could sign its visitor in as another user.
    """

    @extend_schema(operation_id="tokens_cookie_csrf", responses={200: CSRFTokenSerializer})
    def get(self, request: Request) -> Response:
        """Get the CSRF cookie, and the token that a script sends as X-CSRFToken."""
        return Response({"csrf_token": get_token(request._request)})

    @extend_schema(
        operation_id="tokens_cookie",
        responses={200: LifetimesSerializer, 403: schema.DETAIL, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        cookies.require_csrf(request)
        pair = self.sign_in(request, check=cookies.check_size)
        # As Django's login() does: a CSRF token that an attacker planted before becomes invalid.
        rotate_token(request._request)
        response = answer_by_cookie(pair)
        devices.remember(response, pair.session.user)
        return response


class CookieRefreshView(TokenView):
    """Exchange the refresh cookie for the next pair of cookies. The body may be empty."""

    serializer_class = EmptySerializer

    @extend_schema(
        operation_id="tokens_cookie_refresh",
        request=None,
        auth=schema.REFRESH_COOKIE,
        responses={200: LifetimesSerializer, 403: schema.DETAIL, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        try:
            pair = refresh_by_cookie(request)
        except TokenError as error:
            self.deletes_cookies = True
            raise body_refusal(error) from None
        return answer_by_cookie(pair)

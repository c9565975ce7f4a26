"""Sign-in and refresh for browsers, with the tokens in cookies that no script can read."""

from django.middleware.csrf import get_token, rotate_token
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .. import sessions
from ..client import client_of
from ..errors import TokenError
from ..sessions import TokenPair
from . import cookies, schema
from .http import Unauthorized, body_refusal
from .serializers import CSRFTokenSerializer, EmptySerializer, LifetimesSerializer
from .throttles import RefreshThrottle
from .views import SignInView, TokenView


def answer_by_cookie(pair: TokenPair) -> Response:
    """Return an answer with the tokens in its cookies and only their lifetimes in its body."""
    response = Response(LifetimesSerializer(pair).data)
    cookies.set_pair(response, pair)
    return response


class CookieSignInView(SignInView):
    """
    Sign in from a page of the same site, with the tokens in cookies that no script can read.

    Requires Django's CSRF token. Otherwise another site could sign its visitor in as another user.
    """

    @extend_schema(operation_id="token_cookie_csrf", responses={200: CSRFTokenSerializer})
    def get(self, request: Request) -> Response:
        """Get the CSRF cookie, and the token that a script sends as X-CSRFToken."""
        return Response({"csrf_token": get_token(request._request)})

    @extend_schema(
        operation_id="token_cookie_create",
        responses={200: LifetimesSerializer, 403: schema.DETAIL, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        cookies.require_csrf(request)
        pair = self.sign_in(request, check=cookies.check_size)
        # As Django's login() does: a CSRF token that an attacker planted before becomes invalid.
        rotate_token(request._request)
        return answer_by_cookie(pair)


class CookieRefreshView(TokenView):
    """Exchange the refresh cookie for the next pair of cookies. The body may be empty."""

    serializer_class = EmptySerializer
    throttle_classes = (RefreshThrottle,)

    @extend_schema(
        operation_id="token_cookie_refresh",
        request=None,
        auth=schema.REFRESH_COOKIE,
        responses={200: LifetimesSerializer, 403: schema.DETAIL, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        raw_refresh = cookies.find_refresh(request)
        if raw_refresh is None:
            raise Unauthorized({"detail": str(NotAuthenticated.default_detail)})
        cookies.require_csrf(request)
        try:
            pair = sessions.refresh(
                raw_refresh, client=client_of(request), check=cookies.check_size
            )
        except TokenError as error:
            self.deletes_cookies = True
            raise body_refusal(error) from None
        return answer_by_cookie(pair)

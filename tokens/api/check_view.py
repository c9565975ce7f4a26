"""
Whether a request would be authenticated, for a gateway that asks before it passes the request on.

nginx calls it auth_request, Traefik forwardAuth, Caddy forward_auth. The gateway sends the headers
of the request that it holds, and reads only the status and the headers of the answer.
"""

from typing import Any
from urllib.parse import quote

from rest_framework.exceptions import NotAuthenticated
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from .. import sessions
from ..errors import TokenError
from . import cookies, schema
from .http import Unauthorized, bearer, challenge_to_refused_token, request_refusal
from .openapi import OpenApiParameter, OpenApiResponse, extend_schema
from .serializers import EmptySerializer
from .views import TokenView

# The names that oauth2-proxy has made common.
USER_HEADER = "X-Auth-Request-User"
SESSION_HEADER = "X-Auth-Request-Session"

# The method of the request that the gateway holds: Traefik's and Caddy's name, and ingress-nginx's.
METHOD_HEADERS = ("X-Forwarded-Method", "X-Original-Method")

# What a header's value may hold as it is (RFC 9110 §5.5). Everything else is percent-encoded.
_PLAIN = "!#$&'()*+,/:;=?@[]~"


class IgnoreAccept(DefaultContentNegotiation):
    """The answer has no body, so a gateway may pass on that the client accepts only images."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class CheckView(TokenView):
    """
    Say whether a request with these headers would be authenticated, without a body.

    The token comes from the Authorization header or else from the access cookie. If X-Forwarded-Method
    or X-Original-Method names a method that changes something, a cookie requires Django's CSRF token in
    X-CSRFToken too.
    """

    http_method_names = ("get", "head")
    serializer_class = EmptySerializer
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = IgnoreAccept
    # All requests come from the gateway.
    throttle_classes = ()

    @extend_schema(
        operation_id="tokens_check",
        auth=schema.ANY_CREDENTIAL,
        parameters=[
            OpenApiParameter(
                USER_HEADER,
                location="header",
                response=[204],
                required=True,
                description="The user's primary key, percent-encoded.",
            ),
            OpenApiParameter(
                SESSION_HEADER,
                location="header",
                response=[204],
                required=True,
                description="The session's id.",
            ),
        ],
        responses={
            204: OpenApiResponse(None, "Authenticated."),
            401: OpenApiResponse(None, "No token, or a refused token."),
            403: OpenApiResponse(None, "The CSRF token is missing or wrong."),
            503: OpenApiResponse(
                None, "Temporarily unavailable. Retry after the seconds in Retry-After."
            ),
        },
    )
    def get(self, request: Request) -> Response:
        raw_access = bearer(request)
        by_cookie = raw_access is None
        if raw_access is None:
            raw_access = cookies.find_access(request)
        if raw_access is None:
            raise Unauthorized({"detail": str(NotAuthenticated.default_detail)})
        try:
            claims = sessions.authenticate(raw_access).claims
        except TokenError as error:
            if by_cookie:
                cookies.refuse_access(request)
            raise request_refusal(error) from None
        if by_cookie and not _is_safe(request):
            cookies.require_csrf_header(request)
        headers = {USER_HEADER: quote(claims.sub, safe=_PLAIN), SESSION_HEADER: str(claims.sid)}
        return Response(status=204, headers=headers)

    def get_authenticate_header(self, request: Request) -> str:
        if cookies.is_access_refused(request):
            return challenge_to_refused_token()
        return super().get_authenticate_header(request)

    def handle_exception(self, exc: Exception) -> Response:
        refusal = super().handle_exception(exc)
        refusal.data = None
        return refusal


def _is_safe(request: Request) -> bool:
    """Return whether no header names a method that changes something."""
    named = (request.headers.get(name, "GET") for name in METHOD_HEADERS)
    return all(method.strip().upper() in cookies.SAFE_METHODS for method in named)

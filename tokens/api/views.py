"""The token endpoints: each reads a body, calls one verb of ``sessions``, and answers."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .. import sessions, signals
from ..client import client_of
from ..errors import TokenError
from ..limits import sign_in
from ..models import EndReason
from ..sessions import TokenPair
from . import cookies, schema
from .exception_handler import exception_handler
from .http import Unauthorized, challenge
from .serializers import (
    EmptySerializer,
    PairSerializer,
    RefreshSerializer,
    RevokeSerializer,
    SignInSerializer,
    TokenSerializer,
)
from .throttles import IntrospectThrottle, RefreshThrottle, RevokeThrottle, VerifyThrottle

# Its fields are copied at the first use, not at each: a twentieth of the time that a refresh takes.
_PAIR = PairSerializer()


# Bodies hold passwords and tokens: an error report must not.
@method_decorator(sensitive_post_parameters(), name="dispatch")
# A revocation is committed before its answer leaves, whatever ATOMIC_REQUESTS says.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class TokenView(GenericAPIView[Any]):
    """
    A view that takes its token from the body and looks at no other credential.

    A stale Authorization header must never stand in the way of a sign-in or a refresh.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes: Sequence[type[BasePermission]] = ()
    # Set by a view that answers one request: the browser then gives its tokens away.
    forgets_cookies = False

    def get_exception_handler(self) -> Any:
        return exception_handler

    def get_authenticate_header(self, request: Request) -> str:
        # DRF would ask an authentication class, find none, and answer 403.
        return challenge(request)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        # RFC 6749 §5.1: an answer that holds a token is stored nowhere.
        response["Cache-Control"] = "no-store"
        if self.forgets_cookies:
            cookies.delete_all(response)
        return response

    def read(self, request: Request) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def answer(self, pair: TokenPair) -> Response:
        return Response(_PAIR.to_representation(pair))


class SignInView(TokenView):
    """Sign in: begin a session and get its first two tokens."""

    serializer_class = SignInSerializer

    @extend_schema(operation_id="token_create", responses={200: PairSerializer, **schema.REFUSED})
    def post(self, request: Request) -> Response:
        return self.answer(self.sign_in(request))

    @method_decorator(sensitive_variables())
    def sign_in(self, request: Request) -> TokenPair:
        pair = sign_in.start(request._request, client=client_of(request), **self.read(request))
        if pair is None:
            raise Unauthorized(
                {
                    "detail": "No active account found with the given credentials",
                    "code": "no_active_account",
                }
            )
        return pair


class RefreshView(TokenView):
    """Trade a refresh token for the next pair. The one traded in is good for nothing then."""

    serializer_class = RefreshSerializer
    throttle_classes = (RefreshThrottle,)

    @extend_schema(operation_id="token_refresh", responses={200: PairSerializer, **schema.REFUSED})
    def post(self, request: Request) -> Response:
        body = self.read(request)
        return self.answer(sessions.refresh(body["refresh"], client=client_of(request)))


class VerifyView(TokenView):
    """Tell whether a token of either type would be accepted at this moment."""

    serializer_class = TokenSerializer
    throttle_classes = (VerifyThrottle,)

    @extend_schema(operation_id="token_verify", responses={200: EmptySerializer, **schema.REFUSED})
    def post(self, request: Request) -> Response:
        sessions.verify(self.read(request)["token"])
        return Response({})


class RevokeView(TokenView):
    """
    Take a token back (RFC 7009).

    A refresh token ends its session with all access tokens; an access token ends itself. The
    answer is the same for a token that is unknown or expired: there is nothing left to do.
    """

    serializer_class = RevokeSerializer
    throttle_classes = (RevokeThrottle,)

    @extend_schema(operation_id="token_revoke", responses={200: EmptySerializer})
    def post(self, request: Request) -> Response:
        try:
            sessions.revoke(self.read(request)["token"], client=client_of(request))
        except TokenError as error:
            signals.log("nothing_to_revoke", reason=type(error).__name__, detail=error)
        return Response({})


class BlacklistView(TokenView):
    """End the session of a refresh token, under djangorestframework-simplejwt's name for it."""

    serializer_class = RefreshSerializer
    throttle_classes = (RevokeThrottle,)

    @extend_schema(
        operation_id="token_blacklist", responses={200: EmptySerializer, **schema.REFUSED}
    )
    def post(self, request: Request) -> Response:
        found = sessions.find_by_refresh_token(self.read(request)["refresh"])
        sessions.end([found.session], reason=EndReason.LOGOUT, client=client_of(request))
        return Response({})


class MayIntrospect(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.has_perm("tokens.introspect_token"))


class IntrospectView(TokenView):
    """Tell a permitted caller what a token says, if it is active (RFC 7662)."""

    serializer_class = TokenSerializer
    throttle_classes = (IntrospectThrottle,)
    authentication_classes = APIView.authentication_classes
    permission_classes = (IsAuthenticated, MayIntrospect)

    @extend_schema(
        operation_id="token_introspect",
        responses={
            200: OpenApiResponse(schema.INTROSPECTION, "Its claims, or only that it is not.")
        },
    )
    def post(self, request: Request) -> Response:
        try:
            found = sessions.verify(self.read(request)["token"])
        except TokenError as error:
            signals.log("introspected_as_inactive", reason=type(error).__name__, detail=error)
            return Response({"active": False})
        # Last: a project's own claim of that name says something else.
        return Response({**found.claims.as_json(), "active": True})

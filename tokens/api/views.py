"""The token endpoints. Each reads a body, calls one verb of ``sessions``, and answers."""

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
from ..models import EndReason, Session
from ..sessions import Check, TokenPair
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


class AsksDatabase:
    """
    A view whose caller the database has accepted, also in snapshot mode.

    The views of this app that change sessions or passwords do not rely on a process's copy.
    """

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)  # type: ignore[misc]  # of the APIView
        # To load the user is to run strict mode's query. It raises TokenError.
        getattr(request.user, "is_active", None)


# Bodies contain passwords and tokens, which must not get into error reports.
@method_decorator(sensitive_post_parameters(), name="dispatch")
# A revocation is committed before the answer is sent, also under ATOMIC_REQUESTS.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class TokenView(GenericAPIView[Any]):
    """
    A view that takes a token or a password from the body and ignores other credentials.

    An expired token in the Authorization header must not prevent a sign-in or a refresh.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes: Sequence[type[BasePermission]] = ()
    # A view sets it to delete the token cookies with this answer. Each request has its own view.
    deletes_cookies = False

    def get_exception_handler(self) -> Any:
        return exception_handler

    def get_authenticate_header(self, request: Request) -> str:
        # DRF takes it from an authentication class. Without one it would answer 403.
        return challenge(request)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        # RFC 6749 §5.1: no cache may store an answer that contains a token.
        response["Cache-Control"] = "no-store"
        if self.deletes_cookies:
            cookies.delete_all(response)
        return response

    def read(self, request: Request) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def answer(self, pair: TokenPair) -> Response:
        return Response(PairSerializer(pair).data)


class SignInView(TokenView):
    """Sign in: start a session and return its first pair of tokens."""

    serializer_class = SignInSerializer

    @extend_schema(operation_id="token_create", responses={200: PairSerializer, **schema.REFUSED})
    def post(self, request: Request) -> Response:
        return self.answer(self.sign_in(request))

    @method_decorator(sensitive_variables())
    def sign_in(self, request: Request, *, check: Check | None = None) -> TokenPair:
        body, client = self.read(request), client_of(request)
        pair = sign_in.start(request._request, client=client, check=check, **body)
        if pair is None:
            raise Unauthorized(
                {
                    "detail": "No active account found with the given credentials",
                    "code": "no_active_account",
                }
            )
        return pair


class RefreshView(TokenView):
    """Exchange a refresh token for the next pair of tokens. Use the new refresh token from then on."""

    serializer_class = RefreshSerializer
    throttle_classes = (RefreshThrottle,)

    @extend_schema(operation_id="token_refresh", responses={200: PairSerializer, **schema.REFUSED})
    def post(self, request: Request) -> Response:
        body = self.read(request)
        return self.answer(sessions.refresh(body["refresh"], client=client_of(request)))


class VerifyView(TokenView):
    """Check whether a token of either type would be accepted now."""

    serializer_class = TokenSerializer
    throttle_classes = (VerifyThrottle,)

    @extend_schema(operation_id="token_verify", responses={200: EmptySerializer, **schema.REFUSED})
    def post(self, request: Request) -> Response:
        sessions.verify(self.read(request)["token"], client=client_of(request))
        return Response({})


class RevokeView(TokenView):
    """
    Revoke a token (RFC 7009).

    A refresh token ends its session with all access tokens. An access token is denied alone. The
    answer to an unknown or expired token is the same.
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
    """End the session of a refresh token, at the address of djangorestframework-simplejwt."""

    serializer_class = RefreshSerializer
    throttle_classes = (RevokeThrottle,)

    @extend_schema(
        operation_id="token_blacklist", responses={200: EmptySerializer, **schema.REFUSED}
    )
    def post(self, request: Request) -> Response:
        client = client_of(request)
        found = sessions.find_by_refresh_token(self.read(request)["refresh"], client=client)
        sessions.end([found.session], reason=EndReason.LOGOUT, client=client)
        return Response({})


class MayIntrospect(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.has_perm(f"{Session._meta.app_label}.introspect_token"))


class IntrospectView(TokenView):
    """Return the claims of an active token (RFC 7662). Requires the permission introspect_token."""

    serializer_class = TokenSerializer
    throttle_classes = (IntrospectThrottle,)
    authentication_classes = APIView.authentication_classes
    permission_classes = (IsAuthenticated, MayIntrospect)

    @extend_schema(
        operation_id="token_introspect",
        responses={
            200: OpenApiResponse(
                schema.INTROSPECTION,
                "The claims of an active token, or only that it is not active.",
            )
        },
    )
    def post(self, request: Request) -> Response:
        try:
            found = sessions.verify(self.read(request)["token"], client=client_of(request))
        except TokenError as error:
            signals.log("introspected_as_inactive", reason=type(error).__name__, detail=error)
            return Response({"active": False})
        # Last, so that it replaces a claim of the project with the same name.
        return Response({**found.claims.as_json(), "active": True})

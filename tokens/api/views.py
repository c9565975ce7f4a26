"""The token endpoints. Each reads a body, calls one verb of ``sessions``, and answers."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework.exceptions import ParseError
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .. import sessions, signals
from ..client import client_of
from ..database.places import non_atomic_requests
from ..errors import TokenError
from ..limits import sign_in
from ..models import EndReason, Session
from ..secret import hides_locals
from ..sessions import Check, TokenPair
from . import bodies, charsets, cookies, schema, token_limits
from .endpoint import SIGNED_IN, Endpoint
from .hiding import SecretRequest, SecretResponse, secret_names
from .http import Unauthorized, add_oauth_error, challenge
from .openapi import OpenApiResponse, extend_schema
from .parsers import AnyTypeNegotiation
from .serializers import (
    EmptySerializer,
    PairSerializer,
    RefreshedPairSerializer,
    RefreshSerializer,
    RevokeSerializer,
    SignInSerializer,
    TokenSerializer,
)


class AsksDatabase:
    """
    A view whose caller the database has accepted, also in snapshot mode.

    The views of this app that change sessions or passwords do not rely on a process's copy.
    """

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)  # type: ignore[misc]  # of the APIView
        # To load the user is to run strict mode's query. It raises TokenError.
        getattr(request.user, "is_active", None)


class ReadsBody:
    """A view that reads its body in a project without the middleware that makes it readable."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if charsets.is_refused(request._request):
            raise ParseError(charsets.REFUSAL)
        bodies.make_readable(request._request)
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # of the APIView


class TokenView(ReadsBody, Endpoint):
    """
    A view that takes a token or a password from the body and ignores other credentials.

    An expired token in the Authorization header must not prevent a sign-in or a refresh.
    """

    answer_serializer: type[PairSerializer] = PairSerializer

    # A view sets it to delete the token cookies with this answer. Each request has its own view.
    deletes_cookies = False

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        # Bodies contain passwords and tokens, which must not get into error reports.
        view = sensitive_post_parameters()(super().as_view(**initkwargs))
        # A revocation is committed before the answer is sent, also under ATOMIC_REQUESTS.
        return non_atomic_requests(view)

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

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        return SecretRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def secret_names(self) -> frozenset[str]:
        """Return the names whose values are hidden in the request's body."""
        return secret_names(self.get_serializer_class())

    @hides_locals
    def read(self, request: Request) -> dict[str, Any]:
        """Return the validated body, with a Secret for each token and password."""
        return super().read(request)

    @hides_locals
    def answer(self, pair: TokenPair) -> Response:
        return SecretResponse(self.answer_serializer(pair).data)


class TokenEndpoint(TokenView):
    """A view that issues tokens. OAuth clients can use it as their token endpoint."""

    def handle_exception(self, exc: Exception) -> Response:
        refusal = super().handle_exception(exc)
        add_oauth_error(refusal)
        return refusal


class SignInView(TokenEndpoint):
    """Sign in: start a session and return its first pair of tokens."""

    serializer_class = SignInSerializer

    @extend_schema(
        operation_id="token_obtain_pair", responses={200: PairSerializer, **schema.REFUSED}
    )
    def post(self, request: Request) -> Response:
        return self.answer(self.sign_in(request))

    def sign_in(self, request: Request, *, check: Check | None = None) -> TokenPair:
        body, client = self.read(request), client_of(request)
        pair = sign_in.start(request._request, client=client, check=check, **body)
        if pair is None:
            raise Unauthorized(
                {
                    "detail": _("No active account found with the given credentials"),
                    "code": "no_active_account",
                }
            )
        return pair


class RefreshView(TokenEndpoint):
    """Exchange a refresh token for the next pair of tokens. Use the new refresh token from then on."""

    serializer_class = RefreshSerializer
    answer_serializer = RefreshedPairSerializer

    @extend_schema(
        operation_id="token_refresh", responses={200: RefreshedPairSerializer, **schema.REFUSED}
    )
    def post(self, request: Request) -> Response:
        body, limit = self.read(request), token_limits.REFRESH
        with limit.counting_junk(request):
            pair = sessions.refresh(
                body["refresh"], client=client_of(request), admit=limit.count_session
            )
        return self.answer(pair)


class VerifyView(TokenView):
    """Check whether a token of either type would be accepted now."""

    serializer_class = TokenSerializer

    @extend_schema(operation_id="token_verify", responses={200: EmptySerializer, **schema.REFUSED})
    def post(self, request: Request) -> Response:
        body, limit = self.read(request), token_limits.VERIFY
        with limit.counting_junk(request):
            sessions.verify(body["token"], client=client_of(request), admit=limit.count_session)
        return Response({})


class RevokeView(TokenView):
    """
    Revoke a token (RFC 7009).

    A refresh token ends its session with all access tokens. An access token is denied alone. The
    answer to an unknown or expired token is the same.
    """

    serializer_class = RevokeSerializer
    content_negotiation_class = AnyTypeNegotiation

    @extend_schema(operation_id="tokens_revoke", responses={200: EmptySerializer})
    def post(self, request: Request) -> Response:
        body = self.read(request)
        try:
            with token_limits.REVOKE.counting_junk(request):
                sessions.revoke(body["token"], client=client_of(request))
        except TokenError as error:
            signals.log("nothing_to_revoke", reason=type(error).__name__, detail=error)
        return Response({})


class BlacklistView(TokenView):
    """End the session of a refresh token, at the address of djangorestframework-simplejwt."""

    serializer_class = RefreshSerializer
    content_negotiation_class = AnyTypeNegotiation

    @extend_schema(
        operation_id="token_blacklist", responses={200: EmptySerializer, **schema.REFUSED}
    )
    def post(self, request: Request) -> Response:
        body, client = self.read(request), client_of(request)
        with token_limits.REVOKE.counting_junk(request):
            found = sessions.find_by_refresh_token(body["refresh"], client=client)
        sessions.end([found.session], reason=EndReason.LOGOUT, client=client)
        return Response({})


class MayIntrospect(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.has_perm(f"{Session._meta.app_label}.introspect_token"))


class IntrospectView(TokenView):
    """Return the claims of an active token (RFC 7662). Requires the permission introspect_token."""

    serializer_class = TokenSerializer
    authentication_classes = SIGNED_IN
    permission_classes = (IsAuthenticated, MayIntrospect)

    @extend_schema(
        operation_id="tokens_introspect",
        responses={
            200: OpenApiResponse(
                schema.INTROSPECTION,
                "The claims of an active token, or only that it is not active.",
            )
        },
    )
    def post(self, request: Request) -> Response:
        body, limit = self.read(request), token_limits.INTROSPECT
        try:
            with limit.counting_junk(request):
                found = sessions.verify(
                    body["token"], client=client_of(request), admit=limit.count_session
                )
        except TokenError as error:
            signals.log("introspected_as_inactive", reason=type(error).__name__, detail=error)
            return Response({"active": False})
        # Last, so that it replaces a claim of the project with the same name.
        return Response({**found.claims.as_json(), "active": True})

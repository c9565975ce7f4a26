"""What a person does with their own sessions: see them, end one, end this one, end all."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from . import schema, sessions
from .errors import TokenError
from .http import Unauthorized, bearer, client_of, request_refusal
from .look import Authenticated
from .models import EndReason, Session
from .serializers import OptionalRefreshSerializer, SessionSerializer
from .throttling import RevokeThrottle
from .views import TokenView


class LogoutView(TokenView):
    """
    End the session that this request belongs to.

    Its access token names it, in the Authorization header; when that has expired, the refresh
    token does, in the body.
    """

    serializer_class = OptionalRefreshSerializer
    throttle_classes = (RevokeThrottle,)
    everywhere = False

    @extend_schema(
        operation_id="logout",
        auth=schema.BEARER_OR_NOTHING,
        responses={204: None, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        found = self._find(request)
        client = client_of(request)
        if self.everywhere:
            sessions.end_all(found.session.user, reason=EndReason.LOGOUT, client=client)
        else:
            sessions.end([found.session], reason=EndReason.LOGOUT, client=client)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _find(self, request: Request) -> Authenticated:
        raw_refresh = self.read(request).get("refresh")
        raw_access = bearer(request)
        if raw_access is not None:
            try:
                return sessions.authenticate(raw_access)
            except TokenError as error:
                if raw_refresh is None:
                    raise request_refusal(error) from None
        if raw_refresh is None:
            raise Unauthorized({"detail": str(NotAuthenticated.default_detail)})
        return sessions.find_by_refresh_token(raw_refresh)


class LogoutAllView(LogoutView):
    """End every session of the user whom this request belongs to, this one included."""

    everywhere = True

    @extend_schema(
        operation_id="logout_all",
        auth=schema.BEARER_OR_NOTHING,
        responses={204: None, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        return super().post(request)


class NewestFirst(CursorPagination):
    page_size = 50
    ordering = "-started_at"


class OwnSessions(GenericAPIView[Session]):
    serializer_class = SessionSerializer
    permission_classes = (IsAuthenticated,)
    queryset = Session.objects.none()

    def get_queryset(self) -> QuerySet[Session]:
        return Session.objects.filter(user=self.request.user.pk).live(now=timezone.now())


@extend_schema_view(
    get=extend_schema(responses={200: SessionSerializer(many=True), 404: schema.DETAIL})
)
class SessionListView(OwnSessions, ListAPIView[Session]):
    """Where I am signed in, the newest first."""

    pagination_class = NewestFirst


# A revocation is committed before its answer leaves, whatever ATOMIC_REQUESTS says.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class SessionView(OwnSessions):
    """End one of my sessions: its tokens are refused from the next request on."""

    @extend_schema(operation_id="session_end", responses={204: None, 404: schema.DETAIL})
    def delete(self, request: Request, sid: UUID) -> Response:
        session = get_object_or_404(self.get_queryset(), pk=sid)
        sessions.end([session], reason=EndReason.REVOKED, client=client_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

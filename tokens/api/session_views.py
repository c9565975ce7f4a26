"""A user's own sessions: list them, end one, sign out of this one or of all."""

from datetime import UTC
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_datetime
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .. import clock, sessions
from ..client import Client, client_of
from ..errors import RefreshTokenReused, TokenError
from ..models import EndReason, Session
from ..sessions import Authenticated
from . import cookies, schema
from .http import Unauthorized, bearer, body_refusal, request_refusal
from .serializers import OptionalRefreshSerializer, SessionSerializer
from .throttles import RevokeThrottle
from .views import AsksDatabase, TokenView


class LogoutView(TokenView):
    """
    Sign out: end the session that this request belongs to.

    The session is that of the access token in the Authorization header or, if that has expired, of
    the refresh token in the body. Without either, it is that of the cookies, which are deleted;
    this requires Django's CSRF token.
    """

    serializer_class = OptionalRefreshSerializer
    throttle_classes = (RevokeThrottle,)
    everywhere = False

    @extend_schema(
        operation_id="logout",
        auth=schema.ANY_CREDENTIAL_OR_NOTHING,
        responses={204: None, 403: schema.DETAIL, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        found = self._find(request)
        if found is not None:
            self.end(found.session, client=client_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def end(self, session: Session, *, client: Client) -> None:
        sessions.end([session], reason=EndReason.LOGOUT, client=client)

    def _find(self, request: Request) -> Authenticated | None:
        raw_refresh = self.read(request).get("refresh")
        raw_access = bearer(request)
        if raw_access is not None:
            try:
                return sessions.authenticate(raw_access)
            except TokenError as error:
                if raw_refresh is None:
                    raise request_refusal(error) from None
        if raw_refresh is None:
            return self._find_by_cookie(request)
        return self._find_by_refresh_token(raw_refresh, client=client_of(request))

    def _find_by_refresh_token(self, raw_refresh: str, *, client: Client) -> Authenticated | None:
        try:
            return sessions.find_by_refresh_token(raw_refresh, client=client)
        except RefreshTokenReused:
            if self.everywhere:
                raise  # Who brings a superseded token is not known to be the user.
            return None  # The session has just ended, as a reuse.

    def _find_by_cookie(self, request: Request) -> Authenticated | None:
        """Return the session of the cookies, or None if it has ended. Raises Unauthorized."""
        raw_access, raw_refresh = cookies.find_access(request), cookies.find_logout(request)
        if raw_access is None and raw_refresh is None:
            raise Unauthorized({"detail": str(NotAuthenticated.default_detail)})
        cookies.require_csrf(request)
        self.deletes_cookies = True
        for raw_token, find in (
            (raw_access, sessions.authenticate),
            (raw_refresh, partial(self._find_by_refresh_token, client=client_of(request))),
        ):
            if raw_token is not None:
                try:
                    return find(raw_token)
                except TokenError as error:
                    refusal = body_refusal(error)
        if self.everywhere:
            # Without a user no session can be ended, and a 204 would say that all have ended.
            raise refusal
        return None


class LogoutAllView(LogoutView):
    """Sign out everywhere: end every session of the user, including this one."""

    everywhere = True

    @extend_schema(
        operation_id="logout_all",
        auth=schema.ANY_CREDENTIAL_OR_NOTHING,
        responses={204: None, 403: schema.DETAIL, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        return super().post(request)

    def end(self, session: Session, *, client: Client) -> None:
        sessions.end_all(session.user, reason=EndReason.LOGOUT, client=client)


class NewestFirst(CursorPagination):
    page_size = 50
    ordering = "-started_at"

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor: Cursor | None = super().decode_cursor(request)
        if (
            cursor is not None
            and cursor.position is not None
            and not _is_datetime(str(cursor.position))
        ):
            # In a query it would raise a database error.
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _is_datetime(text: str) -> bool:
    """Return whether ``text`` is a date and time with an offset that a query can compare."""
    try:
        instant = parse_datetime(text)
        return instant is not None and instant.astimezone(UTC) == instant
    except (ValueError, OverflowError):
        return False


class OwnSessions(AsksDatabase, GenericAPIView[Session]):
    serializer_class = SessionSerializer
    permission_classes = (IsAuthenticated,)
    queryset = Session.objects.none()

    def get_queryset(self) -> QuerySet[Session]:
        return Session.objects.filter(user=self.request.user.pk).live(now=clock.now())


@extend_schema_view(
    get=extend_schema(responses={200: SessionSerializer(many=True), 404: schema.DETAIL})
)
class SessionListView(OwnSessions, ListAPIView[Session]):
    """List the sessions of the signed-in user, the newest first."""

    name = "My sessions"  # The heading of the page.
    pagination_class = NewestFirst
    page_template = "tokens/sessions.html"


# A revocation is committed before the answer is sent, also under ATOMIC_REQUESTS.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class SessionView(OwnSessions):
    """End one of the user's own sessions. Its tokens are refused from the next request on."""

    @extend_schema(operation_id="session_end", responses={204: None, 404: schema.DETAIL})
    def delete(self, request: Request, sid: UUID) -> Response:
        session = get_object_or_404(self.get_queryset(), pk=sid)
        sessions.end([session], reason=EndReason.REVOKED, client=client_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

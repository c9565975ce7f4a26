"""A user's own sessions: list them, end one, sign out of this one or of all."""

from contextlib import suppress
from datetime import UTC
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_datetime
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated, NotFound
from rest_framework.mixins import ListModelMixin
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .. import clock, sessions
from ..client import Client, client_of
from ..database.places import non_atomic_requests
from ..errors import RefreshTokenReused, TokenError
from ..models import EndReason, Session, SessionKind
from ..secret import Secret
from ..sessions import Authenticated
from . import cookies, schema, token_limits
from .django_sessions import held_by
from .endpoint import SIGNED_IN, Endpoint
from .http import Unauthorized, bearer, body_refusal, forbid_storing, request_refusal
from .openapi import extend_schema, extend_schema_view
from .parsers import AnyTypeNegotiation
from .serializers import (
    EmptySerializer,
    OptionalRefreshSerializer,
    SessionNameSerializer,
    SessionSerializer,
)
from .session_cards import cards_of
from .views import AsksDatabase, ReadsBody, TokenView


class LogoutView(TokenView):
    """
    Sign out: end the session that this request belongs to.

    The session is that of the access token in the Authorization header, whatever the body is. If
    that has expired, it is that of the refresh token in the body. Without either, it is that of the
    cookies, which are deleted; this requires Django's CSRF token. An access token that came alone has
    no refresh token: the session of one in the body ends too.
    """

    serializer_class = OptionalRefreshSerializer
    content_negotiation_class = AnyTypeNegotiation
    everywhere = False

    @extend_schema(
        operation_id="tokens_logout",
        auth=schema.ANY_CREDENTIAL_OR_NOTHING,
        responses={204: None, 403: schema.DETAIL, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        found = self._find(request)
        if found is not None:
            self.end(found.session, client=client_of(request))
            if found.session.kind == SessionKind.ACCESS:
                self._end_by_body(request)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def end(self, session: Session, *, client: Client) -> None:
        sessions.end([session], reason=EndReason.LOGOUT, client=client)

    def _end_by_body(self, request: Request) -> None:
        """End the session of the refresh token in the body, if there is one that can be read."""
        with suppress(APIException, TokenError):
            if raw_refresh := self.read(request).get("refresh"):
                found = sessions.find_by_refresh_token(raw_refresh, client=client_of(request))
                self.end(found.session, client=client_of(request))

    def _find(self, request: Request) -> Authenticated | None:
        raw_access, refused = bearer(request), list[TokenError]()
        if raw_access is not None:
            try:
                return sessions.authenticate(raw_access)
            except TokenError as error:
                refused.append(error)
        raw_refresh = self.read(request).get("refresh")
        if raw_refresh:
            try:
                return self._find_by_refresh_token(raw_refresh, client=client_of(request))
            except TokenError as error:
                token_limits.REVOKE.count_junk(request, *refused, error)
                raise
        if refused:
            token_limits.REVOKE.count_junk(request, *refused)
            raise request_refusal(refused[0])
        return self._find_by_cookie(request)

    def _find_by_refresh_token(
        self, raw_refresh: Secret[str], *, client: Client
    ) -> Authenticated | None:
        try:
            return sessions.find_by_refresh_token(raw_refresh, client=client)
        except RefreshTokenReused:
            if self.everywhere:
                raise  # Who brings a superseded token is not known to be the user.
            return None  # The session has just ended, as a reuse.

    def _find_by_cookie(self, request: Request) -> Authenticated | None:
        """Return the session of the cookies, or None if it has ended. Raises Unauthorized."""
        raw_access, raw_refresh = cookies.find_access(request), cookies.find_refresh(request)
        if raw_access is None and raw_refresh is None:
            raise Unauthorized({"detail": str(NotAuthenticated.default_detail)})
        cookies.require_csrf(request)
        self.deletes_cookies = True
        refused: list[TokenError] = []
        for raw_token, find in (
            (raw_access, sessions.authenticate),
            (raw_refresh, partial(self._find_by_refresh_token, client=client_of(request))),
        ):
            if raw_token is not None:
                try:
                    return find(raw_token)
                except TokenError as error:
                    refused.append(error)
        token_limits.REVOKE.count_junk(request, *refused)
        refusals = [body_refusal(error) for error in refused]  # This also logs each.
        if self.everywhere:
            # Without a user no session can be ended, and a 204 would say that all have ended.
            raise refusals[-1]
        return None


class LogoutAllView(LogoutView):
    """Sign out everywhere: end every session of the user, including this one."""

    everywhere = True

    @extend_schema(
        operation_id="tokens_logout_all",
        auth=schema.ANY_CREDENTIAL_OR_NOTHING,
        responses={204: None, 403: schema.DETAIL, **schema.REFUSED},
    )
    def post(self, request: Request) -> Response:
        return super().post(request)

    def end(self, session: Session, *, client: Client) -> None:
        sessions.end_all(session.user, reason=EndReason.LOGOUT, client=client)


# A revocation is committed before the answer is sent, also under ATOMIC_REQUESTS.
@method_decorator(non_atomic_requests, name="dispatch")
class LogoutOthersView(AsksDatabase, Endpoint):
    """
    Sign out all other devices: end every session of the user except this one.

    In a browser that also has a session of Django, such as the admin's, that session continues too.
    """

    serializer_class = EmptySerializer
    authentication_classes = SIGNED_IN
    permission_classes = (IsAuthenticated,)
    content_negotiation_class = AnyTypeNegotiation

    @extend_schema(operation_id="tokens_logout_others", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        end_others(request, user=request.user, sid=getattr(request.auth, "sid", None))
        return Response(status=status.HTTP_204_NO_CONTENT)


def end_others(request: Request, *, user: Any, sid: UUID | None) -> None:
    """End the user's sessions, except ``sid`` and the session of Django that the request brings."""
    keep = [brought for brought in (sid, held_by(request)) if brought is not None]
    sessions.end_others(user, keep=keep, reason=EndReason.LOGOUT, client=client_of(request))


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


class OwnSessions(AsksDatabase, Endpoint):
    serializer_class: type[Any] = SessionSerializer
    authentication_classes = SIGNED_IN
    permission_classes = (IsAuthenticated,)
    queryset = Session.objects.none()

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        # Here too: the middleware that does it for every view is optional.
        forbid_storing(response)
        return response

    def get_queryset(self) -> QuerySet[Session]:
        return Session.objects.filter(user=self.request.user.pk).live(now=clock.now())


@extend_schema_view(
    get=extend_schema(
        operation_id="tokens_sessions",
        responses={200: SessionSerializer(many=True), 404: schema.DETAIL},
    )
)
class SessionListView(OwnSessions, ListModelMixin):
    """
    List the sessions of the signed-in user, the newest first.

    Django's own sessions, such as those of the admin, are among them.
    """

    name = _("My sessions")  # in breadcrumbs
    pagination_class = NewestFirst
    page_template = "tokens/sessions.html"

    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_page_context(self, request: Request, response: Response) -> dict[str, Any]:
        """Return what the template has beside the context of every page."""
        paginator: Any = self.paginator
        rows = paginator.page if response.status_code == status.HTTP_200_OK else []
        return cards_of(rows, request=request)


# A revocation is committed before the answer is sent, also under ATOMIC_REQUESTS.
@method_decorator(non_atomic_requests, name="dispatch")
class SessionView(ReadsBody, OwnSessions):
    """One of the user's own sessions."""

    name = _("Session")
    url_parameters = ("sid",)
    serializer_class = SessionNameSerializer

    @extend_schema(operation_id="tokens_session_end", responses={204: None, 404: schema.DETAIL})
    def delete(self, request: Request, sid: UUID) -> Response:
        """End one of the user's own sessions. Its tokens are refused from the next request on."""
        session = get_object_or_404(self.get_queryset(), pk=sid)
        sessions.end([session], reason=EndReason.REVOKED, client=client_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="tokens_session_name",
        request=SessionNameSerializer,
        responses={200: SessionSerializer, 404: schema.DETAIL},
    )
    def patch(self, request: Request, sid: UUID) -> Response:
        """Give the device of one of the user's own sessions a name."""
        session = get_object_or_404(self.get_queryset(), pk=sid)
        sessions.name_device(session, self.read(request).get("name", session.device_name))
        return Response(SessionSerializer(session, context=self.get_serializer_context()).data)

"""Middleware that lists Django's own sessions among a user's sessions, and ends them with those."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from ..client import client_of
from ..sessions import django_sessions
from .both_ways import Middleware

# Keys of Django's session.
_SID = "_tokens_sid"
_HASH = "_tokens_auth_hash"  # HASH_SESSION_KEY as it was when the row was written
# An attribute of the request: the id that its session brought.
_BROUGHT = "_tokens_django_sid"


class DjangoSessionMiddleware(Middleware):
    """
    Refuse a session of Django whose row has ended, and keep the rows of all others.

    It stands after AuthenticationMiddleware, and takes one query for a request that uses
    ``request.user``. Other requests take none.
    """

    def sync_call(self, request: HttpRequest) -> Any:
        self._begin(request)
        response = self.get_response(request)
        if self._has_to_follow(request, response):
            _follow(request)
        return response

    async def async_call(self, request: HttpRequest) -> Any:
        self._begin(request)
        response = await self.get_response(request)
        if self._has_to_follow(request, response):
            await sync_to_async(_follow)(request)
        return response

    def _begin(self, request: HttpRequest) -> None:
        user: Any = request.user
        request.user = SimpleLazyObject(lambda: _accepted(request, user))  # type: ignore[assignment]

        async def auser() -> Any:
            return await sync_to_async(lambda: _forced(request.user))()

        request.auser = auser

    def _has_to_follow(self, request: HttpRequest, response: HttpResponse) -> bool:
        # After a 500 Django does not save its session.
        return bool(request.session.accessed) and response.status_code != 500


def _accepted(request: HttpRequest, user: Any) -> Any:
    """Return the user of Django's session, or an anonymous user if staff or the user ended it."""
    session = request.session
    if not user.is_authenticated or SESSION_KEY not in session:
        return _forced(user)
    sid = session.get(_SID)
    if sid is None:
        # From before this middleware was installed.
        _begin(request, user)
    elif not django_sessions.continues(
        UUID(sid), user, client=client_of(request), lifetime=_lifetime(request)
    ):
        session.flush()
        return AnonymousUser()
    setattr(request, _BROUGHT, session[_SID])
    return _forced(user)


def _follow(request: HttpRequest) -> None:
    """Write down what the view did to Django's session: a sign-in, a sign-out, a new password."""
    session, brought = request.session, getattr(request, _BROUGHT, None)
    signed_in = SESSION_KEY in session
    if signed_in and _SID not in session:
        # A token may have authenticated the request of another user.
        if _is_of(session, request.user):
            _begin(request, request.user)
    elif signed_in and session.get(_HASH) != session.get(HASH_SESSION_KEY):
        # By update_session_auth_hash(), after the password change had ended every session.
        if django_sessions.ended_by_password_change(UUID(session[_SID])):
            _begin(request, request.user)
        session[_HASH] = session.get(HASH_SESSION_KEY)
    if brought and session.get(_SID) != brought:
        django_sessions.sign_out(UUID(brought), client=client_of(request))


def held_by(request: Any) -> UUID | None:
    """Return the id of the session of Django whose cookie the request brings, or None."""
    session = getattr(request, "session", None)
    if session is None or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    sid = session.get(_SID)
    return None if sid is None else UUID(sid)


def _is_of(session: Any, user: Any) -> bool:
    return bool(user.is_authenticated) and session[SESSION_KEY] == user._meta.pk.value_to_string(
        user
    )


def _begin(request: HttpRequest, user: Any) -> None:
    sid = django_sessions.begin(user, client=client_of(request), lifetime=_lifetime(request))
    request.session[_SID] = str(sid)
    request.session[_HASH] = request.session.get(HASH_SESSION_KEY)


def _lifetime(request: HttpRequest) -> timedelta:
    return timedelta(seconds=request.session.get_expiry_age())


def _forced(user: Any) -> Any:
    """Return the user itself: a lazy one is evaluated."""
    user.pk  # noqa: B018
    return getattr(user, "_wrapped", user)

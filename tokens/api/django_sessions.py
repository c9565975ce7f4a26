"""Middleware that lists Django's own sessions among a user's sessions, and ends them with those."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from ..client import client_of
from ..sessions import django_sessions

# Keys of Django's session.
_SID = "_tokens_sid"
_HASH = "_tokens_auth_hash"  # HASH_SESSION_KEY as it was when the row was written
# An attribute of the request: the id that its session brought.
_BROUGHT = "_tokens_django_sid"


class DjangoSessionMiddleware:
    """
    Refuse a session of Django whose row has ended, and keep the rows of all others.

    It stands after AuthenticationMiddleware, and takes one query for a request that uses
    ``request.user``. Other requests take none.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        request.user = SimpleLazyObject(lambda: _accepted(request, user))  # type: ignore[assignment]
        request.auser = sync_to_async(lambda: _forced(request.user))
        response = self.get_response(request)
        if request.session.accessed and response.status_code != 500:
            # After a 500 Django does not save its session.
            _follow(request)
        return response


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
        _begin(request, request.user)
    elif signed_in and session.get(_HASH) != session.get(HASH_SESSION_KEY):
        # By update_session_auth_hash(), after the password change had ended every session.
        if django_sessions.ended_by_password_change(UUID(session[_SID])):
            _begin(request, request.user)
        session[_HASH] = session.get(HASH_SESSION_KEY)
    if brought and session.get(_SID) != brought:
        django_sessions.sign_out(UUID(brought), client=client_of(request))


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

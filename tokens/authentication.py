"""
The DRF authentication classes, and the same for async views. They call ``sessions``, which decides.

The classes also work in adrf's async views. adrf authenticates in a thread anyway, so a coroutine would
cost a thread more.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from . import sessions
from .api import cookies, http
from .errors import KeyRingError, TokenError
from .jose import Claims
from .secret import Secret
from .sessions import Authenticated
from .sessions.lazy_user import LazyUser


class JWTAuthentication(BaseAuthentication):
    """
    Set ``request.user`` to the user and ``request.auth`` to the Claims of the access token.

    The token comes from the Authorization header or, if that has no bearer credential, from the
    access cookie. A request by cookie with an unsafe method requires Django's CSRF token. A
    request without either stays anonymous. The decision takes one query at most.
    """

    # The system checks look for it, also in classes that are not derived from this one.
    authenticates_tokens = True

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        underlying = _underlying(request)
        raw_access = http.bearer(underlying)
        if raw_access is not None:
            return _accepted(underlying, self._authenticate(raw_access))
        raw_access = cookies.find_access(underlying)
        if raw_access is None:
            return None
        try:
            found = self._authenticate(raw_access)
        except AuthenticationFailed:
            cookies.refuse_access(underlying)
            raise
        cookies.require_csrf(underlying)
        return _accepted(underlying, found)

    def authenticate_header(self, request: Request) -> str:
        return _challenge(request)

    def _authenticate(self, raw_access: Secret[str]) -> Authenticated:
        try:
            return _with_refusals(sessions.authenticate(raw_access))
        except _ANSWERED as error:
            raise _as_api_exception(error) from None


class OptionalJWTAuthentication(JWTAuthentication):
    """For public views: a request with a refused token is anonymous instead of a 401."""

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            return None


async def aauthenticate(request: HttpRequest) -> Authenticated | None:
    """
    Return what the request's token stands for, by the rules of ``JWTAuthentication``; None without one.

    For async views without DRF. ``request.user`` and ``request.auser`` are those of the token from
    then on. Raises APIException, which ``answer`` answers.
    """
    raw_access = http.bearer(request)
    if raw_access is not None:
        found = await _aauthenticate(raw_access)
    else:
        raw_access = cookies.find_access(request)
        if raw_access is None:
            return None
        try:
            found = await _aauthenticate(raw_access)
        except AuthenticationFailed:
            cookies.refuse_access(request)
            raise
        if request.method not in cookies.SAFE_METHODS:
            # It may read the body, and Django's session.
            await sync_to_async(cookies.require_csrf)(request)
    request.user = found.user
    _accepted(request, found)
    return found


async def arequire(request: HttpRequest) -> Authenticated:
    """Do what ``aauthenticate`` does, and raise NotAuthenticated without a token. For ``auth=`` of ninja."""
    found = await aauthenticate(request)
    if found is None:
        raise NotAuthenticated
    return found


def answer(request: HttpRequest, error: Any) -> HttpResponse:
    """Return the answer of DRF's views to an exception of ``arequire``: status, body and challenge."""
    if not isinstance(error, APIException):
        raise error
    body: Any = error.detail
    if not isinstance(body, dict | list):
        body = {"detail": body}
    response = JsonResponse(body, status=error.status_code, safe=False)
    if error.status_code == 401:
        response["WWW-Authenticate"] = _challenge(request)
    if (wait := getattr(error, "wait", None)) is not None:
        response["Retry-After"] = str(int(wait))
    return response


View = Callable[..., Coroutine[Any, Any, Any]]


def token_required(view: View) -> View:
    """
    Let an async view of Django answer requests with a good token only, and all others as DRF's views do.

    ``request.user`` is the user, ``request.auth`` what ``aauthenticate`` returns. Requests by cookie
    are checked for Django's CSRF token here, and requests with a bearer token need none.
    """

    @wraps(view)
    async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            request.auth = await arequire(request)  # type: ignore[attr-defined]
            return await view(request, *args, **kwargs)
        except APIException as error:
            return answer(request, error)

    return csrf_exempt(guarded)


async def _aauthenticate(raw_access: Secret[str]) -> Authenticated:
    try:
        return _with_refusals(await sessions.aauthenticate(raw_access))
    except _ANSWERED as error:
        raise _as_api_exception(error) from None


_ANSWERED = (TokenError, KeyRingError, *http.DATABASE_ERRORS)


def _as_api_exception(error: Exception) -> APIException:
    if isinstance(error, TokenError):
        return http.request_refusal(error)
    if isinstance(error, KeyRingError):
        # An APIException: after any other exception, DRF authenticates again while it renders the
        # answer for a browser.
        return http.ring_unavailable(error)
    return http.database_unavailable(error)


def _with_refusals(found: Authenticated) -> Authenticated:
    if type(found.user) is LazyUser:
        # Of what a view raises, only an APIException reaches every project's exception handler as a
        # 401.
        found.user.raise_refusals_as(http.request_refusal)
    return found


def _underlying(request: HttpRequest | Request) -> Any:
    """Return Django's request, of which DRF's looks up each attribute anew."""
    return getattr(request, "_request", request)


def _accepted(request: Any, found: Authenticated) -> tuple[Any, Claims]:
    """Note that a token authenticated the request, and return its user and claims, as DRF wants them."""
    http.note_authenticated(request)
    request.auser = found.auser
    return found.user, found.claims


def _challenge(request: HttpRequest | Request) -> str:
    if cookies.is_access_refused(request):
        return http.challenge_to_refused_token()
    return http.challenge(request)

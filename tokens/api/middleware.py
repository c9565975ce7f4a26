"""Middleware: requests that Django cannot read, clients that sign in, and rules for caches and cookies."""

from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import APIException, ParseError

from ..client import answering
from ..errors import TooManyAtOnce
from ..limits import devices, sign_in
from . import bodies, charsets, cookies, http
from .both_ways import Middleware
from .exception_handler import BodyTooLarge
from .sign_in_refusals import refused_sign_in


class ReadableRequestMiddleware(Middleware):
    """
    Let every view read chunked bodies, and refuse requests that no view can read.

    The views of this app do so by themselves. Place it before any middleware that reads
    ``request.GET`` or ``request.POST``.
    """

    def sync_call(self, request: HttpRequest) -> Any:
        refused = self._refuse(request)
        return self.get_response(request) if refused is None else refused

    async def async_call(self, request: HttpRequest) -> Any:
        refused = self._refuse(request)
        return await self.get_response(request) if refused is None else refused

    def _refuse(self, request: HttpRequest) -> HttpResponse | None:
        """Return the answer to a request that no view can read, or make it readable."""
        try:
            if charsets.is_refused(request):
                raise ParseError(charsets.REFUSAL)
            bodies.make_readable(request)
        except RequestDataTooBig:
            return _refusal(BodyTooLarge())
        except APIException as error:
            return _refusal(error)
        return None


class ClientMiddleware(Middleware):
    """
    Keep the client of the current request for code that is not given the request.

    ``sessions.start(user)`` in any view then knows the address and the device, and so do the limits on
    sign-ins where a view calls ``authenticate`` without a request. A view that takes a refused attempt
    for a wrong password gets its answer replaced by 429 or 503 with Retry-After, and a browser that
    signed in by Django's ``login`` gets the cookie by which it is known from then on.
    """

    def sync_call(self, request: HttpRequest) -> Any:
        with answering(request):
            response = self.get_response(request)
        return self._finished(request, response) if _was_tried(request) else response

    async def async_call(self, request: HttpRequest) -> Any:
        with answering(request):
            response = await self.get_response(request)
        if _was_tried(request):
            # A template, a user and a cookie: these may need a query.
            response = await sync_to_async(self._finished)(request, response)
        return response

    def _finished(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Return the answer to a request that signed in, or that was refused to try."""
        user, refusal = sign_in.signed_in_by(request), sign_in.refusal_of(request)
        if user is not None:
            devices.remember(response, user)
        elif refusal is not None and _is_refusal(request, response):
            response = refused_sign_in(request, refusal, as_page=_is_page(response))
        if isinstance(refusal, TooManyAtOnce):
            # Django would log each as an error, and mail it to ADMINS.
            response._has_been_logged = True  # type: ignore[attr-defined]
        return response


class TokenCookieMiddleware(Middleware):
    """
    Keep answers to tokens out of caches, and delete an access cookie that was refused.

    A script cannot delete the cookie. If it stayed, public views would refuse the browser until
    the token expires.
    """

    def sync_call(self, request: HttpRequest) -> Any:
        response = self.get_response(request)
        self._finish(request, response)
        return response

    async def async_call(self, request: HttpRequest) -> Any:
        response = await self.get_response(request)
        self._finish(request, response)
        return response

    def _finish(self, request: HttpRequest, response: HttpResponse) -> None:
        if http.was_authenticated(request):
            http.forbid_storing(response)
        if http.has_private_address(request):
            response["Referrer-Policy"] = "no-referrer"
        if cookies.was_read(request):
            patch_vary_headers(response, ["Cookie"])
        if cookies.is_access_refused(request):
            cookies.delete_access(response)


def _was_tried(request: HttpRequest) -> bool:
    """Return whether a user has signed in, or an attempt was refused."""
    return sign_in.signed_in_by(request) is not None or sign_in.refusal_of(request) is not None


def _is_refusal(request: HttpRequest, response: HttpResponse) -> bool:
    """Return whether a view has answered as to a wrong password."""
    if response.status_code >= 400:
        return response.status_code not in {429, 503}
    # A sign-in page shows its form again, or sends the browser back to it.
    shows_page = response.status_code in {301, 302, 303, 307, 308} or _is_page(response)
    return request.method == "POST" and shows_page


def _is_page(response: HttpResponse) -> bool:
    return response.get("Content-Type", "").startswith("text/html")


def _refusal(error: APIException) -> HttpResponse:
    return JsonResponse({"detail": str(error.detail)}, status=error.status_code)

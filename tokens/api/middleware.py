"""Caching rules for answers by cookie, and the deletion of a refused access cookie."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from . import cookies


class TokenCookieMiddleware:
    """
    Keep answers by cookie out of shared caches, and delete an access cookie that was refused.

    A script cannot delete the cookie. If it stayed, public views would refuse the browser until
    the token expires.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if cookies.was_read(request):
            patch_vary_headers(response, ["Cookie"])
        if cookies.is_access_refused(request):
            cookies.delete_access(response)
        return response

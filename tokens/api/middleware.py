from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from . import cookies


class TokenCookieMiddleware:
    """
    Keep answers by cookie out of shared caches, and take a refused access cookie away.

    Scripts cannot delete the cookie, so without the second a browser would be refused at pages
    that are open to everybody until the dead token expires.
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

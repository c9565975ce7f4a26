"""Which answers of the site are in the language of the browser."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

# Only programs read what is below these paths.
FOR_PROGRAMS = ("/.well-known/", "/healthz", "/readyz", "/api/denials/", "/api/status-lists/")


class LanguageMiddleware:
    """
    Answer in the language of the browser, as Django's LocaleMiddleware does for addresses without one.

    That middleware also looks for a language in the address of each request. This site has no
    addresses with one (``i18n_patterns``).

    Answers that only programs read are in LANGUAGE_CODE. Without ``Vary: Accept-Language``, a shared
    cache keeps one copy of the public keys, or of the denials, and not one for each list of languages.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for_programs = is_for_programs(request)
        # A thread keeps the language of its request before.
        translation.activate(
            settings.LANGUAGE_CODE
            if for_programs
            else translation.get_language_from_request(request)
        )
        request.LANGUAGE_CODE = translation.get_language()
        response = self.get_response(request)
        if not for_programs:
            patch_vary_headers(response, ["Accept-Language"])
            response.headers.setdefault("Content-Language", translation.get_language())
        return response


def is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith(FOR_PROGRAMS)

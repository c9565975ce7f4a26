"""Which answers of the site are in the language of the browser."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

# Only programs read what is below these paths.
FOR_PROGRAMS = ("/.well-known/", "/healthz", "/readyz", "/api/denials/", "/api/status-lists/")


class LanguageMiddleware(LocaleMiddleware):
    """
    Django's, which takes the language from the browser, and not for answers that only programs read.

    Those are in LANGUAGE_CODE. Without ``Vary: Accept-Language``, a shared cache keeps one copy of the
    public keys, or of the denials, and not one for each list of languages.
    """

    def process_request(self, request: HttpRequest) -> None:
        if not is_for_programs(request):
            super().process_request(request)
            return
        # A thread keeps the language of its request before.
        translation.activate(settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = settings.LANGUAGE_CODE

    def process_response(self, request: HttpRequest, response: Any) -> HttpResponseBase:
        if is_for_programs(request):
            return response  # type: ignore[no-any-return]
        return super().process_response(request, response)


def is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith(FOR_PROGRAMS)

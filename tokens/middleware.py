"""The middleware of this app as one, for the setting MIDDLEWARE."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from .api.both_ways import Middleware
from .api.django_sessions import DjangoSessionMiddleware
from .api.middleware import ClientMiddleware, TokenCookieMiddleware

AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


class TokensMiddleware(Middleware):
    """
    ClientMiddleware, DjangoSessionMiddleware and TokenCookieMiddleware, in this order.

    It stands after AuthenticationMiddleware. DjangoSessionMiddleware has no effect in a project
    without Django's sessions. Each of the three also works alone, at another place.
    """

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        listed = list(settings.MIDDLEWARE)
        if path in listed and AUTHENTICATION in listed[listed.index(path) :]:
            raise ImproperlyConfigured(
                f'"{path}" stands before AuthenticationMiddleware, so it cannot end Django\'s own '
                "sessions. Move it after that line of MIDDLEWARE."
            )
        plain = TokenCookieMiddleware(get_response)
        self._with_sessions = ClientMiddleware(DjangoSessionMiddleware(plain))
        self._without_sessions = ClientMiddleware(plain)

    def sync_call(self, request: HttpRequest) -> Any:
        return self._chain_for(request)(request)

    async def async_call(self, request: HttpRequest) -> Any:
        return await self._chain_for(request)(request)

    def _chain_for(self, request: HttpRequest) -> ClientMiddleware:
        has_sessions = hasattr(request, "user") and hasattr(request, "session")
        return self._with_sessions if has_sessions else self._without_sessions

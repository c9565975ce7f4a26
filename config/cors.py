"""Cross-origin requests, if the environment allows any origin."""

from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest


class OptionalCorsMiddleware(CorsMiddleware):
    """Let the request pass without reading its headers if no other origin is allowed."""

    def __call__(self, request: HttpRequest) -> Any:
        if not settings.CORS_ALLOWED_ORIGINS:
            return self.get_response(request)
        return super().__call__(request)

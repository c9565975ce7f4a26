"""Plain HTTP under /api/ is refused. A redirect would hide that a secret was sent in clear."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from .api_paths import is_api_path

API = frozenset({"api"})
DETAIL = (
    "This API answers over HTTPS only. The request came over plain HTTP, so every password and "
    "token in it was sent in clear: consider them leaked, revoke the tokens and change the "
    "password. Then correct the address in the client to https://."
)


class HTTPSOnlyMiddleware:
    """
    Answer 403 to a request under /api/ that came without TLS, if SECURE_SSL_REDIRECT is on.

    It stands before SecurityMiddleware, which redirects all others. Clients follow a redirect
    silently, most of them with GET instead of POST, and send the secret in clear every time. The
    status is not 426, which asks for an upgrade of the same connection (RFC 9110 §15.5.22), nor
    401, to which clients answer by sending another token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            settings.SECURE_SSL_REDIRECT
            and not request.is_secure()
            and is_api_path(request.path_info, API)
        ):
            body = {"detail": DETAIL, "code": "https_required"}
            response = JsonResponse(body, status=HTTPStatus.FORBIDDEN)
            # CommonMiddleware, which would set it, has not been reached.
            response["Content-Length"] = str(len(response.content))
            return response
        return self.get_response(request)

"""Classes that a project might set as its defaults."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request


class EnvelopeRenderer(JSONRenderer):
    media_type = "application/vnd.api+json"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return super().render({"data": data}, accepted_media_type, renderer_context)


class Nobody(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class OtherBearer(BaseAuthentication):
    """Refuses every bearer token, because none is its own."""

    def authenticate(self, request: Request) -> None:
        if request.META.get("HTTP_AUTHORIZATION"):
            raise AuthenticationFailed("This is another kind of token.")

    def authenticate_header(self, request: Request) -> str:
        return "Other"


class AlwaysTheLast(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        return list(parsers)[-1]

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> Any:
        last = list(renderers)[-1]
        return last, last.media_type


class NoMetadata(BaseMetadata):
    def determine_metadata(self, request: Request, view: Any) -> dict[str, Any]:
        return {}
